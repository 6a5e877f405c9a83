/**
 * The messages, of which only those in sight stand in the document. The list is held at its end: what is added above moves nothing, and while
 * the end is in sight it stays so, whatever grows. Rows have the key of their message, so that one that was sent stays the row that it was.
 */
import { Trans, useLingui } from '@lingui/react/macro';
import { defaultRangeExtractor, type Range, useVirtualizer, type Virtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { type KeyboardEvent, type Ref, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react';
import type { Thread } from '../hooks/thread';
import { cn } from '../ui/cn';
import { Spinner } from '../ui/spinner';
import { estimateOf } from './estimate';
import { MessageRow } from './message_row';
import { messageOf } from './outgoing';
import { indexOf, type Row } from './rows';
import { useView } from './view';

/** Where a conversation was left, if not at its end. */
export interface Place {
  readonly sizes: VirtualItem[];
  /** The topmost row, and how far it was scrolled out. */
  readonly top: { readonly key: string; readonly offset: number };
}

export interface ListHandle {
  /** Shows a row that is loaded, in the middle; whether it is. */
  show(target: number | string): boolean;
  toEnd(): void;
  /** Gives the focus to the message that had it last, else to the newest. */
  focus(): void;
  /** The keys of the rows between the edges of what is shown. */
  isInSight(key: string): boolean;
}

export interface Mark {
  readonly key: string | null;
  readonly query: string;
}

/** This near the end counts as at the end, in pixels. */
const AT_END = 80;
/** Where there are more messages, they are asked for so many heights of the list before its edge; more of them while one moves towards it. */
const EARLY = 2;
const EARLY_MOVING = 12;
const TOP_SPACE = 56;

type List = Virtualizer<HTMLDivElement, HTMLDivElement>;

export function MessageList({
  thread,
  rows,
  mark,
  newCount,
  place,
  hasJump,
  onAtEnd,
  onSight,
  onLeave,
  handle,
}: {
  thread: Thread;
  rows: readonly Row[];
  mark: Mark;
  /** How many messages are below that were not seen. */
  newCount: number;
  /** Where to begin; undefined: where the new messages begin, else at the end. */
  place: Place | undefined;
  /** A message is about to be shown: there is no need to begin anywhere. */
  hasJump: boolean;
  onAtEnd: (isAtEnd: boolean) => void;
  /** What is in sight changed. */
  onSight: () => void;
  /** null: it was left at its end. */
  onLeave: (place: Place | null) => void;
  handle: Ref<ListHandle>;
}) {
  const { t } = useLingui();
  const { format, openMenu } = useView();
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const [failed, setFailed] = useState<'older' | 'newer' | null>(null);
  const [tabStop, setTabStop] = useState<string | null>(null);
  const state = useRef({ isAtEnd: null as boolean | null, width: 0, height: 0, isPlaced: false, focusOn: null as string | null, hasFocus: false });
  const latest = useRef({ thread, onAtEnd, onSight, onLeave, failed });
  useLayoutEffect(() => {
    latest.current = { thread, onAtEnd, onSight, onLeave, failed };
  });

  const load = useCallback((direction: 'older' | 'newer') => {
    const { thread } = latest.current;
    setFailed(null);
    (direction === 'older' ? thread.loadOlder() : thread.loadNewer()).catch(() => setFailed(direction));
  }, []);

  /** After each move, and each change of what there is. */
  const follow = useCallback(
    (list: List) => {
      state.current.width = list.scrollRect?.width ?? 0;
      if (!state.current.isPlaced) return;
      const { thread, failed, onAtEnd, onSight } = latest.current;
      const height = list.scrollRect?.height ?? 0;
      const before = state.current.height;
      state.current.height = height;
      if (height === 0) return;
      if (height !== before && state.current.isAtEnd && !list.isAtEnd()) {
        const { scrollTop = 0, scrollHeight = 0 } = scroller.current ?? {};
        // Else something has just been jumped to, of which the event is yet to come.
        if (scrollTop === list.scrollOffset || scrollTop + before >= scrollHeight - AT_END) list.scrollToEnd();
        return;
      }
      // Not `getDistanceFromEnd()`: that asks the document, which would have to be laid out once more in each frame.
      const below = list.getTotalSize() - (list.scrollOffset ?? 0) - height;
      const early = (direction: 'backward' | 'forward') => height * (list.scrollDirection === direction ? EARLY_MOVING : EARLY);
      if (failed === null && thread.hasOlder && (list.scrollOffset ?? 0) < early('backward')) load('older');
      else if (failed === null && thread.hasNewer && below < early('forward')) load('newer');
      const atEnd = below <= AT_END && !thread.hasNewer;
      if (atEnd !== state.current.isAtEnd) {
        state.current.isAtEnd = atEnd;
        setAtEnd(atEnd);
        onAtEnd(atEnd);
      }
      onSight();
    },
    [load],
  );

  const getItemKey = useCallback((index: number) => rows[index]?.key ?? index, [rows]);
  // Asked for each row of a page that comes: the document's own width would cost a look at its layout each time.
  const estimateSize = useCallback((index: number) => estimateOf(rows[index], state.current.width), [rows]);
  const stop = tabStop === null ? -1 : rows.findIndex(({ key }) => key === tabStop);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const indexes = defaultRangeExtractor(range);
      // The focus would be lost with its row.
      if (stop >= 0 && state.current.hasFocus && !indexes.includes(stop)) indexes.push(stop);
      return indexes.sort((a, b) => a - b);
    },
    [stop],
  );
  const list = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey,
    estimateSize,
    rangeExtractor,
    overscan: 6,
    anchorTo: 'end',
    followOnAppend: !thread.hasNewer,
    scrollEndThreshold: AT_END,
    paddingStart: TOP_SPACE,
    paddingEnd: 8,
    directDomUpdates: true,
    ...(place && { initialMeasurementsCache: place.sizes }),
    onChange: follow,
  });

  const items = list.getVirtualItems();
  // One article is reached by the tab key: the one that had the focus last, else the last that is drawn.
  const tabIndex = items.some(({ index }) => index === stop) ? stop : (items.findLast(({ index }) => rows[index] && isMessage(rows[index]))?.index ?? -1);
  // These change for all rows with each page and each move: written to the document, they draw none of them anew.
  useLayoutEffect(() => {
    for (const { key, index } of items) {
      const article = list.elementsCache.get(key)?.querySelector('article');
      if (!article) continue;
      // What is written counts as changed, and the element's style is worked out anew.
      for (const [name, value] of [['tabindex', index === tabIndex ? '0' : '-1'], ['aria-posinset', String(index + 1)]] as const) {
        if (article.getAttribute(name) !== value) article.setAttribute(name, value);
      }
    }
  });

  useLayoutEffect(() => {
    if (state.current.isPlaced || rows.length === 0 || hasJump) return;
    state.current.isPlaced = true;
    const top = place ? rows.findIndex(({ key }) => key === place.top.key) : -1;
    const unread = rows.findIndex(({ kind }) => kind === 'unread');
    if (top >= 0) list.scrollToOffset((list.getOffsetForIndex(top, 'start')?.[0] ?? 0) + (place?.top.offset ?? 0));
    else if (unread >= 0) list.scrollToIndex(unread, { align: 'start' });
    else list.scrollToEnd();
  });
  useEffect(() => follow(list));

  // What the agent sends is shown, wherever they were.
  const sent = thread.outbox.at(-1)?.messageId;
  const lastSent = useRef(sent);
  useLayoutEffect(() => {
    const isNew = sent !== undefined && sent !== lastSent.current;
    lastSent.current = sent;
    if (isNew && state.current.isAtEnd === false) toEnd();
  });

  useLayoutEffect(
    () => () => {
      const offset = list.scrollOffset ?? 0;
      const top = state.current.isAtEnd !== false ? undefined : list.getVirtualItemForOffset(offset);
      state.current.isPlaced = false;
      latest.current.onLeave(top ? { sizes: list.takeSnapshot(), top: { key: String(top.key), offset: offset - top.start } } : null);
    },
    [list],
  );

  const toEnd = () => {
    if (thread.hasNewer) void thread.jumpToPresent().then(() => requestAnimationFrame(() => list.scrollToEnd()), () => setFailed('newer'));
    else list.scrollToEnd();
  };

  const focusOn = (index: number) => {
    const key = rows[index]?.key;
    if (key === undefined) return;
    state.current.focusOn = key;
    setTabStop(key);
    list.scrollToIndex(index, { align: 'auto' });
    // One that is drawn already may not be drawn anew.
    takeFocus();
  };
  const takeFocus = () => {
    const key = state.current.focusOn;
    const article = key === null ? null : list.elementsCache.get(key)?.querySelector('article');
    if (!article) return;
    state.current.focusOn = null;
    article.focus({ preventScroll: true });
  };
  useLayoutEffect(takeFocus);

  const lastMessage = rows.findLastIndex(isMessage);
  useImperativeHandle(handle, () => ({
    show(target) {
      const index = indexOf(rows, target);
      if (index < 0) return false;
      state.current.isPlaced = true;
      list.scrollToIndex(index, { align: 'center' });
      return true;
    },
    toEnd,
    focus: () => focusOn(stop >= 0 ? stop : lastMessage),
    isInSight(key) {
      const { range } = list;
      if (!range) return false;
      for (let index = range.startIndex; index <= range.endIndex; index += 1) if (rows[index]?.key === key) return true;
      return false;
    },
  }));

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (!(event.target instanceof HTMLElement) || event.target.tagName !== 'ARTICLE' || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = rows[stop];
    const index = event.key === 'ArrowUp' ? previous(rows, stop) : event.key === 'ArrowDown' ? next(rows, stop) : event.key === 'End' ? lastMessage : event.key === 'Home' ? next(rows, -1) : -1;
    if (index >= 0) {
      event.preventDefault();
      focusOn(index);
    } else if ((event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && row?.kind === 'message') {
      event.preventDefault();
      openMenu(row.message, event.target);
    }
  };

  const hasRows = rows.length > 0;
  return (
    <div className="lc:relative lc:min-h-0 lc:grow">
      <div
        ref={scroller}
        className="lc:absolute lc:inset-0 lc:overflow-x-hidden lc:overflow-y-auto lc:overscroll-contain lc:[overflow-anchor:none] lc:@container"
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          const row = event.target.closest<HTMLElement>('[data-index]');
          const key = row && rows[Number(row.dataset['index'])]?.key;
          state.current.hasFocus = true;
          if (key) setTabStop(key);
        }}
        onBlur={() => {
          state.current.hasFocus = false;
        }}
      >
        <div ref={list.containerRef} role="feed" aria-label={t`Messages`} aria-busy={thread.messages === undefined} className="lc:relative lc:w-full">
          {hasRows && (
            <div className="lc:absolute lc:inset-x-0 lc:top-0 lc:flex lc:items-center lc:justify-center lc:text-xs lc:text-soft" style={{ height: TOP_SPACE }}>
              {failed === 'older' ? <LoadAgain onClick={() => load('older')} /> : thread.hasOlder ? <Spinner /> : <Trans>The conversation begins here.</Trans>}
            </div>
          )}
          {items.map(({ key, index }) => {
            const row = rows[index];
            if (!row) return null;
            return (
              <div key={key} ref={list.measureElement} data-index={index} className="lc:absolute lc:inset-x-0 lc:top-0">
                {row.kind === 'day' && <Between>{format.day(row.at, Date.now())}</Between>}
                {row.kind === 'unread' && <Between isStrong>{t`New messages`}</Between>}
                {(row.kind === 'message' || row.kind === 'outbox') && (
                  <MessageRow
                    message={row.kind === 'message' ? row.message : messageOf(row.item)}
                    item={row.kind === 'outbox' ? row.item : null}
                    isLast={row.isLast}
                    isMarked={mark.key === row.key}
                    query={mark.key === row.key ? mark.query : ''}
                  />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {failed === 'newer' && (
        <div className="lc:absolute lc:inset-x-0 lc:bottom-3 lc:flex lc:justify-center">
          <LoadAgain onClick={() => load('newer')} />
        </div>
      )}
      {!isAtEnd && hasRows && (
        <button
          type="button"
          aria-label={newCount > 0 ? t`Show the newest messages, ${newCount} of them new` : t`Show the newest messages`}
          className="lc:absolute lc:end-4 lc:bottom-4 lc:grid lc:size-10 lc:place-items-center lc:rounded-full lc:border lc:border-line lc:bg-raised lc:text-text lc:shadow-raised lc:hover:bg-hover"
          onClick={toEnd}
        >
          <ArrowDown aria-hidden className="lc:size-5" />
          {newCount > 0 && (
            <span className="lc:absolute lc:-top-2 lc:grid lc:h-5 lc:min-w-5 lc:place-items-center lc:rounded-full lc:bg-accent lc:px-1 lc:text-[11px] lc:font-semibold lc:text-on-accent">{format.number(newCount)}</span>
          )}
        </button>
      )}
    </div>
  );
}

function isMessage(row: Row): boolean {
  return row.kind === 'message' || row.kind === 'outbox';
}

function previous(rows: readonly Row[], from: number): number {
  for (let index = from - 1; index >= 0; index -= 1) if (rows[index] && isMessage(rows[index] as Row)) return index;
  return -1;
}

function next(rows: readonly Row[], from: number): number {
  for (let index = from + 1; index < rows.length; index += 1) if (rows[index] && isMessage(rows[index] as Row)) return index;
  return -1;
}

function Between({ isStrong = false, children }: { isStrong?: boolean; children: string }) {
  return (
    <div className="lc:flex lc:h-11 lc:items-center lc:justify-center lc:px-4">
      <span className={cn('lc:rounded-full lc:px-3 lc:py-1 lc:text-xs lc:font-medium', isStrong ? 'lc:bg-accent lc:text-on-accent' : 'lc:bg-surface lc:text-soft')}>{children}</span>
    </div>
  );
}

function LoadAgain({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="lc:min-h-8 lc:rounded-full lc:border lc:border-line lc:bg-raised lc:px-3 lc:text-xs lc:font-medium lc:text-text lc:hover:bg-hover" onClick={onClick}>
      <Trans>More messages could not be loaded. Try again</Trans>
    </button>
  );
}
