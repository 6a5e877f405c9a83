/** The conversations that a filter shows, and what is done with one or many of them. */
import { useLingui } from '@lingui/react/macro';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Conversation } from '../api/types';
import { useConversation, useConversations } from '../hooks/conversations';
import { useDrafted } from '../hooks/drafts';
import { useConnection } from '../hooks/misc';
import { type ListParams, matches } from '../store/fold';
import { useUi } from '../ui/context';
import { deferred, deferredOverlay, usePreload } from '../ui/deferred';
import { FilterChips, useFilterWords } from './filter_chips';
import { type Filter, paramsOf } from './filters';
import { type Place, withKept } from './kept';
import { MORE_HEIGHT, MoreRow } from './more_row';
import { useNow } from './now';
import { useNumberLabels } from './numbers';
import { Row, ROW_HEIGHT } from './row';
import type { MenuPlace } from './row_menu';
import { type RowEvents, type RowItem, Rows } from './rows';
import { extend, NOTHING_SELECTED, toggle, within } from './selection';
import { Empty, Failed, Skeleton } from './states';
import { type Kind, useChanges } from './use_changes';
import { useMore } from './use_more';
import { useOpenRow } from './use_open_row';

const BulkBar = deferred(async () => (await import('./bulk_bar')).BulkBar, { Waiting: BulkBarWaiting, className: 'lc:grow-0' });
const RowMenu = deferredOverlay(async () => (await import('./row_menu')).RowMenu);

interface Item extends RowItem {
  /** null: the last row, while more is to come. */
  readonly conversation: Conversation | null;
}

const MORE: Item = { key: 'more', height: MORE_HEIGHT, isHeading: true, conversation: null };
/** The rows' data are the cache's; a row's item stays with them, however often the list changes. */
const itemOf = memoize((conversation: Conversation): Item => ({ key: String(conversation.id), height: ROW_HEIGHT, conversation }));

export function InboxList({ filter, onFilter, sort }: { filter: Filter; onFilter: (filter: Filter) => void; sort: ListParams['sort'] }) {
  const { t } = useLingui();
  const { phoneNumberId, conversationId, openConversation, setContactOpen, features, shownConversations } = useUi();
  const params = useMemo(() => paramsOf(filter, sort, phoneNumberId), [filter, sort, phoneNumberId]);
  const now = useNow();
  const labels = useNumberLabels();
  const drafted = useDrafted();
  const connection = useConnection();
  const words = useFilterWords();
  const change = useChanges();
  usePreload(BulkBar, RowMenu);
  const { conversations, error, hasMore, loadMore, reload } = useConversations(params);
  const shown = useShown(conversations, params, conversationId, now);
  const { isLoading, hasFailed, more, again } = useMore(loadMore);
  const openRow = useOpenRow();
  const [chosen, setChosen] = useState(NOTHING_SELECTED);
  const [chosenIn, setChosenIn] = useState(params);
  const [isBusy, setIsBusy] = useState(false);
  const [menu, setMenu] = useState<MenuPlace | null>(null);

  const order = useMemo(() => shown?.map(({ id }) => id) ?? [], [shown]);
  const selection = useMemo(() => (chosenIn === params ? within(chosen, order) : NOTHING_SELECTED), [chosen, chosenIn, params, order]);
  const select = useCallback(
    (next: typeof selection) => {
      setChosen(next);
      setChosenIn(params);
    },
    [params],
  );
  const selected = useMemo(() => shown?.filter(({ id }) => selection.ids.has(id)) ?? [], [shown, selection]);
  const isSelecting = selection.ids.size > 0;
  const canSelect = features.bulk !== false;
  const items = useMemo(() => (shown ? [...shown.map(itemOf), ...(hasMore ? [MORE] : [])] : []), [shown, hasMore]);

  useLayoutEffect(() => {
    shownConversations.current = shown ?? [];
  }, [shown, shownConversations]);

  const events: RowEvents = {
    onOpen(key, { shift, toggle: toggled, byKey }) {
      const id = Number(key);
      if (canSelect && !byKey && shift) select(extend(isSelecting ? selection : { ...selection, anchor: conversationId }, id, order));
      else if (canSelect && !byKey && (toggled || isSelecting)) select(toggle(selection, id));
      else openRow(id);
    },
    ...(canSelect && {
      onSelect: (key, { shift }) => select(shift ? extend(selection, Number(key), order) : toggle(selection, Number(key))),
      onSelectAll: () => select({ ids: new Set(order), anchor: selection.anchor }),
    }),
    onMenu(key, at) {
      const conversation = shown?.find(({ id }) => String(id) === key);
      if (conversation) setMenu({ conversation, ...at, from: document.activeElement });
    },
    onEscape() {
      select(NOTHING_SELECTED);
      return isSelecting;
    },
    onReachEnd: more,
  };

  const changeSelected = async (kind: Kind) => {
    setIsBusy(true);
    await change(kind, selected);
    setIsBusy(false);
    setChosen(NOTHING_SELECTED);
  };

  return (
    <>
      {isSelecting ? (
        <BulkBar
          selected={selected}
          isAll={selection.ids.size === order.length}
          isBusy={isBusy}
          onChange={(kind) => void changeSelected(kind)}
          onSelectAll={() => select({ ids: new Set(order), anchor: selection.anchor })}
          onClear={() => select(NOTHING_SELECTED)}
        />
      ) : (
        <FilterChips value={filter} onChange={onFilter} sort={sort} withCounts={conversations !== undefined} now={now} />
      )}
      {!shown ? (
        error || connection.state === 'offline' ? (
          <Failed isOffline={!error || error.status === 0} onRetry={reload} />
        ) : (
          <Skeleton />
        )
      ) : items.length === 0 ? (
        <Empty filter={filter} number={phoneNumberId === null ? null : (labels.get(phoneNumberId) ?? null)} onShowAll={() => onFilter('all')} />
      ) : (
        <Rows
          key={`${filter} ${sort} ${phoneNumberId}`}
          items={items}
          label={filter === 'all' ? t`Conversations` : t`Conversations: ${words[filter]}`}
          hasMore={hasMore}
          isLoadingMore={isLoading}
          currentKey={conversationId === null ? null : String(conversationId)}
          isSelected={canSelect ? (key) => selection.ids.has(Number(key)) : undefined}
          events={events}
          render={({ conversation }) =>
            conversation ? (
              <Row
                conversation={conversation}
                now={now}
                isOpen={conversation.id === conversationId}
                isSelecting={isSelecting}
                isSelected={selection.ids.has(conversation.id)}
                canSelect={canSelect}
                draft={drafted.get(conversation.id)}
                number={phoneNumberId === null && labels.size > 1 ? (labels.get(conversation.phone_number_id ?? '') ?? null) : null}
                showArchived={false}
              />
            ) : (
              <MoreRow hasFailed={hasFailed} onRetry={again} />
            )
          }
        />
      )}
      {menu && (
        <RowMenu
          at={menu}
          onClose={() => setMenu(null)}
          onChange={(kind) => void change(kind, [menu.conversation])}
          onSelect={canSelect ? () => select(toggle(selection, menu.conversation.id)) : undefined}
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

/** As high as the bar. */
function BulkBarWaiting() {
  return <div className="lc:mx-2 lc:mb-2 lc:h-9 lc:rounded-xl lc:bg-accent-soft" />;
}

/** The list as it is shown: with the open conversation kept in its place, and without those whose window has closed meanwhile. */
function useShown(conversations: readonly Conversation[] | undefined, params: ListParams, openId: number | null, now: number): readonly Conversation[] | undefined {
  const open = useConversation(openId);
  const place = useRef<(Place & { params: ListParams }) | null>(null);
  const shown = useMemo(() => {
    const current = params.filter === 'window_closing' ? conversations?.filter((conversation) => matches(conversation, params, now)) : conversations;
    return current && withKept(current, open, place.current?.params === params ? place.current : null, params);
  }, [conversations, open, params, now]);
  useEffect(() => {
    const index = shown?.findIndex(({ id }) => id === openId) ?? -1;
    if (openId === null || place.current?.params !== params || place.current.id !== openId) place.current = null;
    if (openId !== null && index >= 0) place.current = { id: openId, index, params };
  }, [shown, openId, params]);
  return shown;
}

function memoize<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
