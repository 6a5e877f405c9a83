/** A conversation that is open: its header, its messages, and what is opened over them. */
import { Trans, useLingui } from '@lingui/react/macro';
import { CircleHelp, CloudOff, MessageSquareDashed } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Message } from '../api/types';
import { useActions } from '../hooks/actions';
import { useConversation, useSuccessor } from '../hooks/conversations';
import { type Thread, useThread } from '../hooks/thread';
import { useFormat } from '../i18n/format';
import { useStore } from '../store/context';
import { keys } from '../store/store';
import { nameOf } from '../ui/avatar';
import { Button } from '../ui/button';
import { useUi } from '../ui/context';
import { deferredOverlay, usePreload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { downloadFile } from './download';
import { Header } from './header';
import { MessageMenu, type MenuTarget } from './message_menu';
import { type ListHandle, MessageList, type Place } from './message_list';
import { MiniPlayer } from './mini_player';
import type { Player } from './player';
import { buildRows, createDayKey, firstUnreadOf, keyOf } from './rows';
import { Unsent } from './unsent';
import { useJump } from './use_jump';
import { useNews, useSeen } from './use_seen';
import { ThreadViewContext, type ThreadView } from './view';

export { MiniPlayer };

const SearchBar = deferredOverlay(async () => (await import('./search_bar')).SearchBar);
const InfoDialog = deferredOverlay(async () => (await import('./info_dialog')).InfoDialog);
const ReactionDialog = deferredOverlay(async () => (await import('./reaction_dialog')).ReactionDialog);
const Viewer = deferredOverlay(async () => (await import('./viewer')).Viewer);

type Opened = { readonly kind: 'info' | 'reaction' | 'viewer'; readonly message: Message } | null;

export function OpenThread({ conversationId, player, places }: { conversationId: number; player: Player; places: Map<number, Place> }) {
  const { t } = useLingui();
  const ui = useUi();
  const store = useStore();
  const actions = useActions();
  const format = useFormat();
  const conversation = useConversation(conversationId);
  const thread = useThread(conversationId);
  const { messages, outbox, hasOlder } = thread;
  usePreload(SearchBar, InfoDialog);
  const root = useRef<HTMLElement>(null);
  const list = useRef<ListHandle>(null);
  const [menu, setMenu] = useState<MenuTarget | null>(null);
  const [opened, setOpened] = useState<Opened>(null);
  const [search, setSearch] = useState(0);
  const [isAtEnd, setAtEnd] = useState(false);

  const firstUnread = useFirstUnread(conversationId, messages, conversation?.unread_count);
  const dayKey = useMemo(() => createDayKey(format.dayKey), [format]);
  // Below a stretch of the past there is nothing to send.
  const waiting = thread.hasNewer ? NOTHING : outbox;
  const rows = useMemo(() => buildRows(messages ?? NO_MESSAGES, waiting, { dayKey, firstUnread, hasOlder }), [messages, waiting, dayKey, firstUnread, hasOlder]);

  const { mark, jumpTo, hasJump } = useJump(thread, rows, list);
  useSeen(conversation, messages, isAtEnd && !thread.hasNewer && !hasJump);
  const customer = conversation ? nameOf(conversation) : '';
  useNews(messages, thread.hasNewer, customer);

  const playing = useSyncExternalStore(player.subscribe, player.playing)?.track;
  const [isInSight, setInSight] = useState(false);
  const lookFor = useCallback(() => {
    const track = player.playing()?.track;
    if (track) setInSight(track.conversationId === conversationId && (list.current?.isInSight(track.key) ?? false));
  }, [player, conversationId]);
  // Before it is drawn: the player's bar is not to come for a moment and go.
  useLayoutEffect(lookFor, [lookFor, playing, rows]);

  const openSearch = useCallback(() => setSearch((times) => times + 1), []);
  const focusMessage = useCallback(() => list.current?.focus(), []);
  const closeSearch = useCallback(() => {
    setSearch(0);
    focusMessage();
  }, [focusMessage]);
  const close = useCallback(() => setOpened(null), []);
  useLayoutEffect(() => {
    const handle = { conversationId, jumpTo: (message: number | string) => jumpTo(message), openSearch, focus: () => list.current?.focus() };
    ui.thread.current = handle;
    return () => {
      if (ui.thread.current === handle) ui.thread.current = null;
    };
  }, [ui.thread, conversationId, jumpTo, openSearch]);

  const view = useMemo<ThreadView>(
    () => ({
      conversationId,
      customer,
      format,
      locale: ui.locale,
      player,
      actions,
      jumpTo,
      openMenu: (message, anchor) => setMenu({ message, anchor }),
      openInfo: (message) => setOpened({ kind: 'info', message }),
      openViewer: (message) => setOpened({ kind: 'viewer', message }),
      reply(message) {
        const { id, message_id = null, wa_message_id = null, sender = null, message_type = null, content = null, media_caption = null } = message;
        store.drafts.set(conversationId, { replyTo: { id, message_id, wa_message_id, sender, message_type, content, media_caption } });
        ui.composer.current?.focus();
      },
      download: (message) => void downloadFile(store, message).catch(() => ui.toast({ text: t`The file could not be downloaded.`, tone: 'danger' })),
    }),
    [conversationId, customer, format, ui, player, actions, jumpTo, store, t],
  );

  useFollow(conversationId);
  if (conversation === null) return <Gone conversationId={conversationId} />;
  // What was opened shows the message as it is now.
  const shown = opened && (messages?.find((message) => keyOf(message) === keyOf(opened.message)) ?? opened.message);
  return (
    <ThreadViewContext value={view}>
      <section ref={root} aria-label={customer === '' ? t`Conversation` : t`Conversation with ${customer}`} className="lc:relative lc:flex lc:min-h-0 lc:min-w-0 lc:grow lc:flex-col lc:bg-wall">
        <Header conversation={conversation} onSearch={openSearch} />
        {search > 0 && <SearchBar conversationId={conversationId} opened={search} onShow={jumpTo} onClose={closeSearch} />}
        {playing && !isInSight && <MiniPlayer player={player} />}
        <Body
          thread={thread}
          isEmpty={rows.length === 0}
          onRetry={() => void store.queries.refetchQueries({ queryKey: keys.thread(conversationId) })}
        >
          <MessageList
            thread={thread}
            rows={rows}
            mark={mark}
            newCount={conversation?.unread_count ?? 0}
            place={places.get(conversationId)}
            hasJump={hasJump}
            onAtEnd={setAtEnd}
            onSight={lookFor}
            onLeave={(place) => remember(places, conversationId, place)}
            handle={list}
          />
        </Body>
        {menu && <MessageMenu target={menu} root={root.current} onClose={() => setMenu(null)} onMoreEmoji={(message) => setOpened({ kind: 'reaction', message })} />}
        {opened?.kind === 'info' && shown && <InfoDialog message={shown} onClose={close} onCloseFocus={focusMessage} />}
        {opened?.kind === 'reaction' && shown && <ReactionDialog message={shown} onClose={close} onCloseFocus={focusMessage} />}
        {opened?.kind === 'viewer' && shown && <Viewer pictures={(messages ?? NO_MESSAGES).filter(isPicture)} first={shown} onClose={close} />}
      </section>
    </ThreadViewContext>
  );
}

/** So many conversations are shown again where they were left. */
const MOST_PLACES = 20;

function remember(places: Map<number, Place>, conversationId: number, place: Place | null): void {
  places.delete(conversationId);
  if (place) places.set(conversationId, place);
  const [oldest] = places.keys();
  if (oldest !== undefined && places.size > MOST_PLACES) places.delete(oldest);
}

const NO_MESSAGES: readonly Message[] = [];
const NOTHING: Thread['outbox'] = [];

function isPicture(message: Message): boolean {
  return message.message_type === 'image' && message.media?.state === 'stored' && !message.deleted_at;
}

/** Where the unread messages begin: as it was when the conversation was opened, until it is left. What was kept from an earlier visit does not tell. */
function useFirstUnread(conversationId: number, messages: readonly Message[] | undefined, unread: number | undefined): number | null {
  const store = useStore();
  const [opened, setOpened] = useState<{ newest: number; unread: number } | null>(null);
  const newest = messages?.at(-1)?.id;
  const isKnown = store.isFresh(keys.thread(conversationId)) && store.isFresh(keys.conversation(conversationId));
  if (!opened && isKnown && newest !== undefined && unread !== undefined) setOpened({ newest, unread });
  return useMemo(() => (opened && messages ? firstUnreadOf(messages, opened.newest, opened.unread) : null), [opened, messages]);
}

function Body({ thread, isEmpty, onRetry, children }: { thread: Thread; isEmpty: boolean; onRetry: () => void; children: ReactNode }) {
  const { t } = useLingui();
  if (!isEmpty) return children;
  if (thread.messages) {
    return (
      <Note icon={<MessageSquareDashed />}>
        <Trans>There are no messages here yet.</Trans>
      </Note>
    );
  }
  if (thread.error) {
    return (
      <Note icon={<CloudOff />}>
        <p>
          <Trans>The messages could not be loaded.</Trans>
        </p>
        <Button tone="outline" onClick={onRetry}>
          <Trans>Try again</Trans>
        </Button>
      </Note>
    );
  }
  return (
    <div className="lc:grid lc:min-h-0 lc:grow lc:place-items-center">
      <Spinner label={t`Loading the messages`} />
    </div>
  );
}

/** Goes on in the conversation that this one became part of. */
function useFollow(conversationId: number): void {
  const { t } = useLingui();
  const { openConversation, toast } = useUi();
  const successor = useSuccessor(conversationId);
  useEffect(() => {
    if (successor === null) return;
    openConversation(successor);
    toast({ text: t`This customer had two conversations. They are one now.` });
  }, [successor, openConversation, toast, t]);
}

function Gone({ conversationId }: { conversationId: number }) {
  const ui = useUi();
  return (
    <div className="lc:flex lc:min-h-0 lc:grow lc:flex-col lc:bg-wall">
      <Note icon={<CircleHelp />}>
        <p>
          <Trans>This conversation is not here. It may have become part of another one.</Trans>
        </p>
        <Unsent conversationId={conversationId} />
        <Button tone="outline" onClick={() => ui.openConversation(null)}>
          <Trans>Back to the conversations</Trans>
        </Button>
      </Note>
    </div>
  );
}

function Note({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div role="status" className="lc:grid lc:min-h-0 lc:grow lc:place-items-center lc:p-8">
      <div className="lc:flex lc:max-w-80 lc:flex-col lc:items-center lc:gap-3 lc:text-center lc:text-soft lc:[&>svg]:size-9 lc:[&>svg]:stroke-[1.5]">
        {icon}
        {children}
      </div>
    </div>
  );
}
