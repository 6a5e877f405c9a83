/**
 * Hints at what buttons do, for those who point at them or reach them by keys. One place shows them for all: each of the hundreds of
 * buttons says in `data-hint` what its hint is, and costs nothing more. They are for the eyes; for the ears buttons have names.
 */
import { type ComponentProps, type FocusEvent, type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { useUi } from './context';

const DELAY_MS = 500;
/** Time to get from the button to its hint, which may be read under the pointer. */
const GRACE_MS = 150;
/** Between the button and its hint, and to the edges of the screen. */
const GAP_PX = 6;
const EDGE_PX = 8;

interface Hint {
  readonly text: string;
  readonly anchor: Element;
}

/** The element around everything that has hints, also what is drawn elsewhere from within it. */
export function Hints({ children, ...props }: ComponentProps<'div'>) {
  const { portal } = useUi();
  const [hint, setHint] = useState<Hint | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wanted = useRef<Element | null>(null);
  const want = (anchor: Element | null, delay: number) => {
    if (wanted.current === anchor) return;
    wanted.current = anchor;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const text = anchor?.isConnected ? anchor.getAttribute('data-hint') : null;
      setHint(anchor && text ? { anchor, text } : null);
    }, delay);
  };
  const end = () => {
    clearTimeout(timer.current);
    wanted.current = null;
    setHint(null);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const isShown = hint !== null;
  useEffect(() => {
    if (!isShown) return;
    const hide = () => setHint(null);
    // What it points at moves away.
    addEventListener('scroll', hide, { capture: true, passive: true });
    addEventListener('blur', hide);
    return () => {
      removeEventListener('scroll', hide, true);
      removeEventListener('blur', hide);
    };
  }, [isShown]);
  useLayoutEffect(() => {
    if (hint && box.current) place(box.current, hint.anchor.getBoundingClientRect());
  }, [hint]);
  return (
    <div
      {...props}
      onPointerOver={({ target, pointerType }: PointerEvent) => {
        // A finger that rests on a button wants to press it.
        if (pointerType === 'touch' || !(target instanceof Element)) return;
        if (box.current?.contains(target)) return want(hint?.anchor ?? null, 0);
        const anchor = target.closest('[data-hint]');
        want(anchor, anchor ? (isShown ? 0 : DELAY_MS) : GRACE_MS);
      }}
      onPointerLeave={() => want(null, GRACE_MS)}
      onPointerDown={end}
      onFocus={({ target }: FocusEvent) => {
        if (target.matches('[data-hint]:focus-visible')) want(target, 0);
      }}
      onBlur={end}
      onKeyDown={({ key }: KeyboardEvent) => {
        if (isShown && key !== 'Tab' && key !== 'Shift') end();
      }}
    >
      {children}
      {hint &&
        portal &&
        createPortal(
          <div ref={box} aria-hidden className="lc:fixed lc:top-0 lc:left-0 lc:z-50 lc:w-max lc:max-w-60 lc:rounded-md lc:bg-text lc:px-2 lc:py-1 lc:text-xs lc:text-surface lc:shadow-raised">
            {hint.text}
          </div>,
          portal,
        )}
    </div>
  );
}

/** Above the button in its middle; below it, or aside, where there is no room. */
function place(box: HTMLElement, anchor: DOMRect): void {
  box.style.transform = '';
  // Where the corner of the screen is for it: an element around it may have been moved.
  const { left, top, width, height } = box.getBoundingClientRect();
  const above = anchor.top - GAP_PX - height;
  const y = above >= EDGE_PX ? above : anchor.bottom + GAP_PX;
  const x = Math.max(EDGE_PX, Math.min(anchor.left + (anchor.width - width) / 2, innerWidth - EDGE_PX - width));
  box.style.transform = `translate(${Math.round(x - left)}px, ${Math.round(y - top)}px)`;
}
