/** The present moment for what tells times as they pass: all that show one are drawn anew together, twice a minute, and when the page is looked at again. */
import { useSyncExternalStore } from 'react';

const STEP_MS = 30_000;

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  now = Date.now();
  for (const listener of listeners) listener();
}

function onVisible() {
  // Timers of a hidden page are late.
  if (document.visibilityState === 'visible' && Date.now() - now >= STEP_MS) tick();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(tick, STEP_MS);
    document.addEventListener('visibilitychange', onVisible);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
}

/** Milliseconds since 1970, half a minute behind at the most. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
