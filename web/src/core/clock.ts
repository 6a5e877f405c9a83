/** Time as the core sees it, so that tests can be its master. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms`; what it returns takes that back. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A number from 0 to below 1. */
export type Random = () => number;

/** A number between two others. */
export function between(random: Random, least: number, most: number): number {
  return least + random() * (most - least);
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 45_000;

/** How long to wait after so many failures in a row: exponential, with full jitter. */
export function backoff(random: Random, failures: number): number {
  return random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 16));
}
