/** What a search finds: conversations, the first few at first, and below them messages. */
import { plural } from '@lingui/core/macro';
import { useLingui } from '@lingui/react/macro';
import { ChevronDown } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useState } from 'react';
import type { Conversation, Message } from '../api/types';
import { useConversations } from '../hooks/conversations';
import { useDrafted } from '../hooks/drafts';
import { useConnection } from '../hooks/misc';
import { useMessageSearch } from '../hooks/search';
import { compareConversations, type ListParams } from '../store/fold';
import { useUi } from '../ui/context';
import { Hit, HIT_HEIGHT } from './hit';
import { MORE_HEIGHT, MoreRow } from './more_row';
import { useNow } from './now';
import { useNumberLabels } from './numbers';
import { Row, ROW_HEIGHT } from './row';
import { type MenuPlace, RowMenu } from './row_menu';
import { type RowEvents, type RowItem, Rows } from './rows';
import { Failed, NothingFound, Skeleton } from './states';
import { useChanges } from './use_changes';
import { useMore } from './use_more';
import { useOpenRow } from './use_open_row';

type Item = RowItem &
  (
    | { readonly kind: 'heading'; readonly text: string }
    | { readonly kind: 'conversation'; readonly conversation: Conversation }
    | { readonly kind: 'all' }
    | { readonly kind: 'hit'; readonly message: Message; readonly conversation: Conversation | undefined }
    | { readonly kind: 'more' }
  );

const FIRST = 5;
const PAUSE_MS = 250;

export function FoundList({ text, onClear }: { text: string; onClear: () => void }) {
  const { t } = useLingui();
  const { phoneNumberId, conversationId, openConversation, setContactOpen, features, announce, shownConversations } = useUi();
  const now = useNow();
  const labels = useNumberLabels();
  const drafted = useDrafted();
  const connection = useConnection();
  const change = useChanges();
  const openRow = useOpenRow();
  const q = useSettled(text, PAUSE_MS);
  const [allOf, setAllOf] = useState<string | null>(null);
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const isWhole = allOf === q;

  const params = (status: ListParams['status']): ListParams => ({ phoneNumberId, status, filter: null, sort: 'recent', q });
  const active = useConversations(params('active'));
  const archived = useConversations(params('archived'));
  const found = useMemo(
    () => active.conversations && archived.conversations && [...active.conversations, ...archived.conversations].sort(compareConversations('recent')),
    [active.conversations, archived.conversations],
  );
  const messages = useMessageSearch({ q: text, phoneNumberId });
  const { isLoading, hasFailed, more, again } = useMore(messages.loadMore);
  const { hits } = messages;
  const hasMore = messages.hasMore && messages.error === null;
  // A page without a hit may still lead to more.
  useEffect(() => {
    if (hits?.length === 0 && hasMore && !isLoading) more();
  }, [hits, hasMore, isLoading, more]);

  const items = useMemo(() => {
    const items: Item[] = [];
    if (found && found.length > 0) {
      items.push({ kind: 'heading', key: 'conversations', height: 36, isHeading: true, text: t`Conversations` });
      for (const conversation of isWhole ? found : found.slice(0, FIRST)) items.push({ kind: 'conversation', key: String(conversation.id), height: ROW_HEIGHT, conversation });
      if (!isWhole && found.length > FIRST) items.push({ kind: 'all', key: 'all', height: 44 });
    }
    if (hits && hits.length > 0) {
      items.push({ kind: 'heading', key: 'messages', height: 36, isHeading: true, text: t`Messages` });
      for (const { message, conversation } of hits) items.push({ kind: 'hit', key: `message ${message.id}`, height: HIT_HEIGHT, message, conversation });
    }
    if (items.length > 0 && (messages.isSearching || hits === undefined || messages.hasMore)) items.push({ kind: 'more', key: 'more', height: MORE_HEIGHT, isHeading: true });
    return items;
  }, [found, hits, messages.isSearching, messages.hasMore, isWhole, t]);

  useLayoutEffect(() => {
    shownConversations.current = found ?? [];
  }, [found, shownConversations]);

  const told = (conversations: number, messages: number) => {
    if (conversations + messages === 0) return hasMore ? null : t`Nothing found`;
    return t`${plural(conversations, { one: '# conversation', other: '# conversations' })}, ${plural(messages, { one: '# message', other: '# messages' })}`;
  };
  const isSettled = q === text && found !== undefined && hits !== undefined && (isLoading || !messages.isSearching);
  const result = isSettled ? told(found.length, hits.length) : null;
  useEffect(() => {
    if (result) announce(result);
  }, [result, announce]);

  const error = active.error ?? archived.error ?? messages.error;
  const retry = () => {
    active.reload();
    archived.reload();
    if (messages.error) again();
  };
  const events: RowEvents = {
    onOpen(key) {
      const item = items.find((item) => item.key === key);
      if (item?.kind === 'conversation') openRow(item.conversation.id);
      else if (item?.kind === 'hit') openRow(item.message.conversation_id, item.message.id);
      else if (item?.kind === 'all') {
        setAllOf(q);
        for (const list of [active, archived]) if (list.hasMore) void list.loadMore().catch(() => {});
      }
    },
    onMenu(key, at) {
      const item = items.find((item) => item.key === key);
      if (item?.kind === 'conversation') setMenu({ conversation: item.conversation, ...at, from: document.activeElement });
    },
    onReachEnd: more,
  };
  if (items.length === 0) {
    if (error || connection.state === 'offline') return <Failed isOffline={!error || error.status === 0} onRetry={retry} />;
    return isSettled && !hasMore ? <NothingFound text={text} onClear={onClear} /> : <Skeleton />;
  }
  return (
    <>
      <Rows
        key={q}
        items={items}
        label={t`Found conversations and messages`}
        hasMore={hasMore}
        isLoadingMore={isLoading}
        currentKey={conversationId === null ? null : String(conversationId)}
        events={events}
        render={(item) => {
          switch (item.kind) {
            case 'heading':
              return (
                <div role="gridcell" className="lc:pt-2 lc:text-xs lc:font-semibold lc:text-soft">
                  {item.text}
                </div>
              );
            case 'conversation':
              return (
                <Row
                  conversation={item.conversation}
                  now={now}
                  isOpen={item.conversation.id === conversationId}
                  isSelecting={false}
                  isSelected={false}
                  canSelect={false}
                  draft={drafted.get(item.conversation.id)}
                  number={phoneNumberId === null && labels.size > 1 ? (labels.get(item.conversation.phone_number_id ?? '') ?? null) : null}
                  showArchived
                />
              );
            case 'all':
              return (
                <div role="gridcell" className="lc:flex lc:items-center lc:gap-1.5 lc:font-medium lc:text-accent">
                  <ChevronDown aria-hidden className="lc:size-4" />
                  {t`Show more conversations`}
                </div>
              );
            case 'hit':
              return <Hit message={item.message} conversation={item.conversation} now={now} />;
            case 'more':
              return <MoreRow hasFailed={hasFailed || messages.error !== null} onRetry={again} />;
          }
        }}
      />
      {menu && (
        <RowMenu
          at={menu}
          onClose={() => setMenu(null)}
          onChange={(kind) => void change(kind, [menu.conversation])}
          onSelect={undefined}
          onContact={
            features.contactPanel === false
              ? undefined
              : () => {
                  openConversation(menu.conversation.id);
                  setContactOpen(true);
                }
          }
        />
      )}
    </>
  );
}

/** A value once it has not changed for a while. */
function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value, pauseMs]);
  return settled;
}
