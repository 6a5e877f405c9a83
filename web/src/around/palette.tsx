/** A conversation, a message or an action by a few letters of it (⌘K). */
import { useLingui } from '@lingui/react/macro';
import { Archive, FileText, Inbox, Keyboard, type LucideIcon, MailOpen, MessageSquareText, PanelRight, Phone, Reply, Search, Settings } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';
import type { Conversation } from '../api/types';
import { useConversations } from '../hooks/conversations';
import { usePhoneNumbers } from '../hooks/misc';
import { useMessageSearch } from '../hooks/search';
import { useFormat } from '../i18n/format';
import type { ListParams } from '../store/fold';
import { Avatar, nameOf } from '../ui/avatar';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { useFocusBack } from '../ui/focus_back';
import { Spinner } from '../ui/spinner';
import { useCommandLabels } from './command_labels';
import { useHub } from './hub';
import { Keys } from './keys';
import { isWanted } from './palette_match';
import { type CommandId, SHORTCUTS } from './shortcuts';

interface Entry {
  readonly key: string;
  readonly icon: ReactNode;
  readonly label: ReactNode;
  readonly detail?: ReactNode;
  readonly run: () => void;
}

interface Group {
  readonly title: string;
  readonly entries: readonly Entry[];
}

const ICONS: Partial<Record<CommandId, LucideIcon>> = {
  nextUnread: Inbox,
  archiveAndNext: Archive,
  markUnread: MailOpen,
  reply: Reply,
  templates: FileText,
  search: Search,
  searchInConversation: Search,
  contactPanel: PanelRight,
  shortcuts: Keyboard,
  settings: Settings,
};

const MOST_CONVERSATIONS = 6;
const MOST_MESSAGES = 5;
const LONGEST_QUERY = 100;
const PAUSE_MS = 180;

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  const { portal } = useUi();
  const focusBack = useFocusBack(true);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const { groups, isSearching } = useGroups(text);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  /** Runs when the dialog is gone, so that what it focuses keeps the focus. */
  const then = useRef<(() => void) | null>(null);
  const entries = groups.flatMap(({ entries }) => entries);
  const at = Math.min(chosen, entries.length - 1);
  const active = entries[at];

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at, active?.key]);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    then.current = entry.run;
    onClose();
  };
  const press = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 6, entries.length - 1), PageUp: Math.max(at - 6, 0) };
    const to = moves[event.key];
    if (event.nativeEvent.isComposing) return;
    if (to !== undefined && entries.length > 0) {
      event.preventDefault();
      setChosen((to + entries.length) % entries.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(active);
    } else if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onClose();
    }
  };
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal container={portal}>
        <Radix.Overlay className="lc:fixed lc:inset-0 lc:z-40 lc:bg-overlay" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            focusBack();
            then.current?.();
          }}
          className="lc:fixed lc:inset-x-2 lc:top-[max(8px,8dvh)] lc:z-40 lc:mx-auto lc:flex lc:max-h-[min(80dvh,560px)] lc:max-w-xl lc:flex-col lc:overflow-hidden lc:rounded-2xl lc:border lc:border-line lc:bg-raised lc:text-text lc:shadow-raised lc:outline-none"
        >
          <Radix.Title className="lc:sr-only">{t`Find a conversation or an action`}</Radix.Title>
          <div className="lc:flex lc:items-center lc:gap-3 lc:border-b lc:border-line lc:px-4">
            <Search aria-hidden className="lc:size-5 lc:shrink-0 lc:text-soft" />
            <input
              type="text"
              role="combobox"
              aria-expanded
              aria-autocomplete="list"
              aria-controls={listId}
              aria-label={t`Find a conversation or an action`}
              {...(active && { 'aria-activedescendant': `${listId}-${at}` })}
              placeholder={t`Name, number, words or action`}
              autoComplete="off"
              spellCheck={false}
              maxLength={LONGEST_QUERY}
              dir="auto"
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setChosen(0);
              }}
              onKeyDown={press}
              className="lc:h-13 lc:min-w-0 lc:grow lc:text-base lc:outline-none lc:focus-visible:outline-none"
            />
            {isSearching && <Spinner />}
          </div>
          <div ref={list} id={listId} role="listbox" aria-label={t`Results`} aria-busy={isSearching} className="lc:min-h-0 lc:grow lc:overflow-y-auto lc:p-2">
            {groups.map(({ title, entries: ofGroup }, index) => {
              const before = groups.slice(0, index).reduce((sum, group) => sum + group.entries.length, 0);
              return (
                <div key={title} role="group" aria-labelledby={`${listId}-group-${index}`} className="lc:pb-1">
                  <div id={`${listId}-group-${index}`} className="lc:px-2 lc:pt-2 lc:pb-1 lc:text-xs lc:font-semibold lc:text-soft">
                    {title}
                  </div>
                  {ofGroup.map((entry, offset) => (
                    <Option key={entry.key} id={`${listId}-${before + offset}`} entry={entry} isChosen={before + offset === at} onPoint={() => setChosen(before + offset)} onRun={() => run(entry)} />
                  ))}
                </div>
              );
            })}
          </div>
          {entries.length === 0 && (
            <p role="status" className="lc:px-4 lc:pb-8 lc:text-center lc:text-soft">
              {isSearching ? t`Searching…` : t`Nothing found for “${text.trim()}”.`}
            </p>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Option({ id, entry, isChosen, onPoint, onRun }: { id: string; entry: Entry; isChosen: boolean; onPoint: () => void; onRun: () => void }) {
  return (
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      onPointerMove={isChosen ? undefined : onPoint}
      onClick={onRun}
      className={cn('lc:flex lc:min-h-11 lc:cursor-pointer lc:items-center lc:gap-3 lc:rounded-lg lc:px-2 lc:py-1', isChosen && 'lc:bg-selected')}
    >
      <span className="lc:grid lc:w-8 lc:shrink-0 lc:place-items-center lc:text-soft">{entry.icon}</span>
      <span className="lc:min-w-0 lc:grow lc:truncate">{entry.label}</span>
      {entry.detail && <span className="lc:max-w-[45%] lc:shrink-0 lc:truncate lc:text-xs lc:text-soft">{entry.detail}</span>}
    </div>
  );
}

function useGroups(text: string): { groups: readonly Group[]; isSearching: boolean } {
  const { t } = useLingui();
  const ui = useUi();
  const hub = useHub();
  const format = useFormat();
  const labels = useCommandLabels();
  const numbers = usePhoneNumbers() ?? [];
  useSyncExternalStore(hub.subscribe, () => hub.version);
  const typed = text.trim();
  const q = useSettled(typed, PAUSE_MS);
  const base: ListParams = { phoneNumberId: ui.phoneNumberId, status: 'active', filter: null, sort: 'recent', q };
  const active = useConversations(base);
  // Without words there is nothing to look for in the archive.
  const archived = useConversations(q === '' ? base : { ...base, status: 'archived' });
  const wantsMessages = ui.features.search !== false && typed.length >= 2;
  const messages = useMessageSearch({ q: wantsMessages ? typed : '', phoneNumberId: ui.phoneNumberId });

  const found = new Map([...(active.conversations ?? []), ...(archived.conversations ?? [])].map((conversation) => [conversation.id, conversation]));
  const conversations = [...found.values()].slice(0, MOST_CONVERSATIONS).map((conversation) => ({
    key: `conversation ${conversation.id}`,
    icon: <Avatar conversation={conversation} className="lc:size-8! lc:text-sm!" />,
    label: <bdi>{nameOf(conversation)}</bdi>,
    detail: <Detail conversation={conversation} archived={t`Archived`} />,
    run: () => ui.openConversation(conversation.id, { focus: 'composer' }),
  }));
  const hits = (wantsMessages ? (messages.hits ?? []) : []).slice(0, MOST_MESSAGES).map(({ message, conversation }) => ({
    key: `message ${message.id}`,
    icon: <MessageSquareText className="lc:size-5" />,
    label: (
      <span dir="auto">
        {message.snippet ? (
          <>
            {message.snippet.before}
            <mark className="lc:bg-mark lc:text-text">{message.snippet.match}</mark>
            {message.snippet.after}
          </>
        ) : (
          (message.content ?? message.media_caption)
        )}
      </span>
    ),
    detail: (
      <>
        {conversation && <bdi>{nameOf(conversation)}</bdi>} {message.timestamp && format.short(message.timestamp, Date.now())}
      </>
    ),
    run: () => ui.openConversation(message.conversation_id, { message: message.id }),
  }));
  const commands = (Object.keys(ICONS) as CommandId[])
    .filter((id) => hub.has(id) && isWanted(labels[id], typed))
    .map((id): Entry => {
      const Icon = ICONS[id];
      const combination = SHORTCUTS[id][0];
      return {
        key: id,
        icon: Icon && <Icon className="lc:size-5" />,
        label: labels[id],
        ...(combination && ui.features.shortcuts !== false && hub.settings.value.shortcuts && { detail: <Keys combination={combination} /> }),
        run: () => hub.run(id),
      };
    });
  const extras = hub.extras
    .filter(({ label }) => isWanted(label, typed))
    .map(({ id, label, run }): Entry => ({ key: `extra ${id}`, icon: <Settings className="lc:size-5" />, label, run }));
  const others = numbers.length < 2 ? [] : [null, ...numbers].filter((number) => (number?.phone_number_id ?? null) !== ui.phoneNumberId);
  const switches = others.flatMap((number): Entry[] => {
    const name = number ? (number.display_phone_number ?? number.verified_name ?? number.phone_number_id) : '';
    const label = number ? t`Show ${name} only` : t`Show all numbers`;
    if (!isWanted(`${label} ${number?.verified_name ?? ''}`, typed)) return [];
    const id = number?.phone_number_id ?? null;
    return [{ key: `number ${id ?? 'all'}`, icon: <Phone className="lc:size-5" />, label, detail: number?.verified_name, run: () => ui.selectPhoneNumber(id) }];
  });
  const isSearching = q !== typed || (typed !== '' && (active.conversations === undefined || archived.conversations === undefined) && !active.error && !archived.error) || (wantsMessages && messages.isSearching);
  const groups = [
    { title: typed === '' ? t`Recent conversations` : t`Conversations`, entries: conversations },
    { title: t`Actions`, entries: [...commands, ...switches, ...extras] },
    { title: t`Messages`, entries: hits },
  ].filter(({ entries }) => entries.length > 0);
  return { groups, isSearching };
}

function Detail({ conversation, archived }: { conversation: Conversation; archived: string }) {
  const phone = conversation.customer_name ? conversation.customer_phone : null;
  return (
    <>
      {phone && <bdi>{phone}</bdi>} {conversation.status === 'archived' && archived}
    </>
  );
}

/** A value once it has not changed for a moment. */
function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
