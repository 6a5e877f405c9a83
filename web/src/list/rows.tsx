/**
 * Rows one below the other, of which only those in sight are drawn: a grid for those who hear it, one stop for the Tab key, and within it
 * the arrow keys. What is pointed at or pressed is heard here for all rows, so that a row is drawn anew only when it says something else.
 */
import { useVirtualizer, defaultRangeExtractor } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, type PointerEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { shiftOf } from './anchor';

export interface RowItem {
  /** Stays with what the row shows, wherever that stands. */
  readonly key: string;
  readonly height: number;
  /** Rows that nothing can be done with are left out by the arrow keys. */
  readonly isHeading?: boolean;
}

export interface RowEvents {
  /** Opened by a click, or by Enter. */
  onOpen(key: string, how: { shift: boolean; toggle: boolean; byKey: boolean }): void;
  /** Its box was ticked; or, by a key or a long press, it was chosen. */
  onSelect?(key: string, how: { shift: boolean }): void;
  onSelectAll?(): void;
  /** Its menu is wanted at a place of the screen. */
  onMenu?(key: string, at: { x: number; y: number }): void;
  /** Returns whether there was something to leave. */
  onEscape?(): boolean;
  onReachEnd?(): void;
}

const LONG_PRESS_MS = 500;
const NEAR_END = 15;

export function Rows<T extends RowItem>({
  items,
  render,
  label,
  hasMore,
  isLoadingMore,
  currentKey,
  isSelected,
  events,
}: {
  items: readonly T[];
  /** What stands in a row: its cells. */
  render: (item: T) => ReactNode;
  label: string;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** The row that is open. */
  currentKey: string | null;
  /** Where rows can be selected: whether one is. */
  isSelected?: ((key: string) => boolean) | undefined;
  events: RowEvents;
}) {
  const { dir } = useUi();
  const scroller = useRef<HTMLDivElement>(null);
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const indexes = useMemo(() => new Map(items.map(({ key }, index) => [key, index])), [items]);
  const active = activeIndex(items, indexes, activeKey ?? currentKey);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => items[index]?.height ?? 0,
    getItemKey: (index) => items[index]?.key ?? index,
    overscan: 6,
    // The row that the Tab key goes to is always there.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return active < 0 || shown.includes(active) ? shown : [...shown, active].sort((a, b) => a - b);
    },
  });
  useEffect(() => rows.measure(), [rows, items]);

  useStillView(scroller, items, rows.getVirtualItems);
  useFocusKept(scroller, items, active);
  useFocusLeft(scroller);
  const lastShown = rows.getVirtualItems().at(-1)?.index ?? -1;
  const { onReachEnd } = events;
  useEffect(() => {
    if (hasMore && !isLoadingMore && lastShown >= items.length - NEAR_END) onReachEnd?.();
  }, [hasMore, isLoadingMore, lastShown, items.length, onReachEnd]);

  const focus = (index: number) => {
    const item = items[index];
    if (!item) return;
    setActiveKey(item.key);
    rows.scrollToIndex(index, { align: 'auto' });
    // It may have to be drawn first.
    const find = () => rowOf(scroller.current, item.key);
    const there = find();
    if (there) there.focus({ preventScroll: true });
    else requestAnimationFrame(() => find()?.focus({ preventScroll: true }));
  };
  const step = (from: number, by: number) => {
    let index = from + by;
    while (items[index]?.isHeading) index += Math.sign(by);
    return items[index] ? index : from;
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const key = keyAt(event.target);
    if (key === null || event.altKey) return;
    const isRow = event.target === rowOf(scroller.current, key);
    const at = indexes.get(key) ?? 0;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / (items[at]?.height ?? 80)) - 1);
    const moves: Record<string, () => number> = {
      ArrowDown: () => step(at, 1),
      ArrowUp: () => step(at, -1),
      PageDown: () => step(Math.min(items.length - 1, at + page) - 1, 1),
      PageUp: () => step(Math.max(0, at - page) + 1, -1),
      Home: () => step(-1, 1),
      End: () => step(items.length, -1),
    };
    const move = event.ctrlKey || event.metaKey ? undefined : moves[event.key];
    if (move) {
      const to = move();
      if (event.shiftKey && events.onSelect) {
        events.onSelect(key, { shift: true });
        const target = items[to];
        if (target && !target.isHeading) events.onSelect(target.key, { shift: true });
      }
      focus(to);
    } else if ((event.ctrlKey || event.metaKey) && event.code === 'KeyA' && events.onSelectAll) events.onSelectAll();
    else if (event.ctrlKey || event.metaKey) return;
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') stepInside(event.target as HTMLElement, rowOf(scroller.current, key), (event.key === 'ArrowRight') === (dir === 'ltr'));
    else if (event.key === 'Escape') {
      if (!events.onEscape?.()) return;
    } else if (!isRow) return;
    else if (event.key === 'Enter') events.onOpen(key, { shift: false, toggle: false, byKey: true });
    else if (event.key === ' ' && events.onSelect) events.onSelect(key, { shift: event.shiftKey });
    else if (event.code === 'KeyX' && !event.shiftKey && events.onSelect) events.onSelect(key, { shift: false });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onClick = (event: MouseEvent<HTMLDivElement>) => {
    const key = keyAt(event.target);
    if (key === null || items[indexes.get(key) ?? -1]?.isHeading) return;
    const act = (event.target as HTMLElement).closest<HTMLElement>('[data-act]')?.dataset['act'];
    if (act === 'select') events.onSelect?.(key, { shift: event.shiftKey });
    else if (act === 'menu') {
      const box = (event.target as HTMLElement).getBoundingClientRect();
      events.onMenu?.(key, { x: dir === 'rtl' ? box.left : box.right, y: box.bottom });
    } else events.onOpen(key, { shift: event.shiftKey, toggle: event.ctrlKey || event.metaKey, byKey: false });
  };

  const press = useLongPress((key) => events.onSelect?.(key, { shift: false }));
  const onContextMenu = (event: MouseEvent<HTMLDivElement>) => {
    const key = keyAt(event.target);
    if (key === null || !events.onMenu || items[indexes.get(key) ?? -1]?.isHeading) return;
    event.preventDefault();
    // A long press of a finger is one too; that selects.
    if (press.isTouch()) return;
    const box = rowOf(scroller.current, key)?.getBoundingClientRect();
    const isByKey = event.clientX === 0 && event.clientY === 0;
    events.onMenu(key, isByKey && box ? { x: box.left + 24, y: box.top + 40 } : { x: event.clientX, y: event.clientY });
  };

  return (
    <div ref={scroller} className="lc:relative lc:min-h-0 lc:grow lc:overflow-y-auto lc:overscroll-contain lc:[overflow-anchor:none]">
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : items.length}
        aria-multiselectable={isSelected !== undefined || undefined}
        className="lc:relative"
        style={{ height: rows.getTotalSize() }}
        onKeyDown={onKeyDown}
        onClick={(event) => !press.wasLong() && onClick(event)}
        onContextMenu={onContextMenu}
        onFocus={(event) => setActiveKey(keyAt(event.target))}
        {...press.handlers}
      >
        {rows.getVirtualItems().map(({ index, start, size }) => {
          const item = items[index];
          if (!item) return null;
          const { key, isHeading } = item;
          const isCurrent = key === currentKey;
          const selected = isHeading ? undefined : isSelected?.(key);
          return (
            <div
              key={key}
              role="row"
              data-key={key}
              aria-rowindex={index + 1}
              aria-current={isCurrent || undefined}
              aria-selected={selected}
              tabIndex={isHeading ? undefined : index === active ? 0 : -1}
              className={cn(
                'lc:group/row lc:absolute lc:inset-x-0 lc:top-0 lc:flex lc:items-center lc:gap-3 lc:px-3',
                !isHeading && 'lc:cursor-pointer lc:select-none lc:focus-visible:outline-2 lc:focus-visible:-outline-offset-2 lc:focus-visible:outline-accent',
                !isHeading && (isCurrent || selected ? 'lc:bg-selected' : 'lc:hover:bg-hover'),
              )}
              style={{ height: size, transform: `translateY(${start}px)` }}
            >
              {render(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The row that the Tab key goes to: the one that had the focus last, else the open one, else the first. */
function activeIndex(items: readonly RowItem[], indexes: ReadonlyMap<string, number>, activeKey: string | null): number {
  const known = activeKey === null ? undefined : indexes.get(activeKey);
  return known ?? items.findIndex(({ isHeading }) => !isHeading);
}

function keyAt(target: EventTarget): string | null {
  return (target as HTMLElement).closest<HTMLElement>('[data-key]')?.dataset['key'] ?? null;
}

function rowOf(scroller: HTMLElement | null, key: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

/** From a row to the controls within it, and back. */
function stepInside(from: HTMLElement, row: HTMLElement | null, isForward: boolean): void {
  if (!row) return;
  const stops = [row, ...row.querySelectorAll<HTMLElement>('button')].filter((stop) => stop === row || stop.offsetParent !== null);
  stops[Math.max(0, stops.indexOf(from) + (isForward ? 1 : -1))]?.focus();
}

/** Keeps what is looked at where it is when rows come, go or move above it; at the very top new ones are to be seen. */
function useStillView(scroller: { current: HTMLElement | null }, items: readonly RowItem[], drawn: () => readonly { key: unknown; start: number }[]): void {
  const visible = useRef(new Map<string, number>());
  const tops = useMemo(() => {
    let top = 0;
    return new Map(items.map(({ key, height }) => [key, (top += height) - height]));
  }, [items]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (element.scrollTop > 0) {
      const shift = shiftOf(visible.current, (key) => tops.get(key));
      if (shift !== 0) element.scrollTop += shift;
    }
    const remember = () => {
      visible.current = new Map(drawn().map(({ key, start }) => [String(key), start]));
    };
    remember();
    element.addEventListener('scroll', remember, { passive: true });
    return () => element.removeEventListener('scroll', remember);
  }, [scroller, items, tops, drawn]);
}

/** A row that moves is taken out of the document for a moment, and loses the focus; one that is gone leaves it to the row in its place. */
function useFocusKept(scroller: { current: HTMLElement | null }, items: readonly RowItem[], active: number): void {
  const before = useRef<{ key: string; index: number } | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    const focused = document.activeElement;
    const was = before.current;
    if (was && element && (focused === null || focused === document.body)) {
      const key = items.some((item) => item.key === was.key) ? was.key : items[Math.min(was.index, items.length - 1)]?.key;
      if (key !== undefined) rowOf(element, key)?.focus({ preventScroll: true });
    }
  }, [scroller, items]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onIn = (event: FocusEvent) => {
      const key = keyAt(event.target as HTMLElement);
      before.current = key === null ? null : { key, index: active };
    };
    const onOut = (event: FocusEvent) => {
      // Something else has the focus now, or the agent pressed beside everything; a row that is taken out goes without this.
      if (event.relatedTarget !== null || (event.target as HTMLElement).isConnected) before.current = null;
    };
    element.addEventListener('focusin', onIn);
    element.addEventListener('focusout', onOut);
    return () => {
      element.removeEventListener('focusin', onIn);
      element.removeEventListener('focusout', onOut);
    };
  }, [scroller, active]);
}

/** Where all rows go, as when nothing is found any more, the search above them has the focus that one of them had. */
function useFocusLeft(scroller: { current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const element = scroller.current;
    const list = element?.closest('section');
    return () => {
      if (!element?.contains(document.activeElement)) return;
      queueMicrotask(() => {
        if (document.activeElement === document.body) list?.querySelector<HTMLElement>('[role="searchbox"]')?.focus();
      });
    };
  }, [scroller]);
}

/** A finger that stays where it is for half a second. */
function useLongPress(onLong: (key: string) => void) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const state = useRef({ isTouch: false, wasLong: false });
  const end = () => {
    if (press.current) clearTimeout(press.current.timer);
    press.current = null;
  };
  useEffect(() => end, []);
  return {
    isTouch: () => state.current.isTouch,
    /** Whether the click that comes now is the end of one. */
    wasLong: () => {
      const was = state.current.wasLong;
      state.current.wasLong = false;
      return was;
    },
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        end();
        state.current = { isTouch: event.pointerType === 'touch', wasLong: false };
        const key = keyAt(event.target);
        if (event.pointerType !== 'touch' || key === null) return;
        const timer = setTimeout(() => {
          state.current.wasLong = true;
          onLong(key);
        }, LONG_PRESS_MS);
        press.current = { timer, x: event.clientX, y: event.clientY };
      },
      onPointerMove: (event: PointerEvent) => {
        const begun = press.current;
        if (begun && Math.hypot(event.clientX - begun.x, event.clientY - begun.y) > 10) end();
      },
      onPointerUp: end,
      onPointerCancel: end,
    },
  };
}
