/** The customer service window: within 24 hours of the customer's last message anything may be sent, afterwards only a template. */
import { useEffect, useState } from 'react';
import { WINDOW_CLOSING_MS } from '../store/fold';

export type WindowState =
  | { readonly state: 'open' }
  | { readonly state: 'closing'; readonly leftMs: number }
  /** `closedAt` is null where the customer never wrote. */
  | { readonly state: 'closed'; readonly closedAt: string | null };

export function windowState(expiresAt: string | null | undefined, now: number): WindowState {
  if (!expiresAt) return { state: 'closed', closedAt: null };
  const leftMs = Date.parse(expiresAt) - now;
  if (leftMs <= 0) return { state: 'closed', closedAt: expiresAt };
  return leftMs <= WINDOW_CLOSING_MS ? { state: 'closing', leftMs } : { state: 'open' };
}

const MINUTE = 60_000;

/** When it looks different next, in milliseconds from now; null for never. */
export function changesIn(expiresAt: string | null | undefined, now: number): number | null {
  if (!expiresAt) return null;
  const leftMs = Date.parse(expiresAt) - now;
  if (leftMs <= 0) return null;
  if (leftMs > WINDOW_CLOSING_MS) return leftMs - WINDOW_CLOSING_MS;
  return leftMs % MINUTE || MINUTE;
}

/** The longest time that a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The window as it stands, by itself from one state to the next. */
export function useWindowState(expiresAt: string | null | undefined): WindowState {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const look = () => setTurn((turn) => turn + 1);
    // Timers stand still in pages that sleep.
    document.addEventListener('visibilitychange', look);
    const wait = changesIn(expiresAt, Date.now());
    const timer = wait === null ? undefined : setTimeout(look, Math.min(wait + 50, LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [expiresAt, turn]);
  return windowState(expiresAt, Date.now());
}
