/** Time as the core sees it, so that tests can be its master. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms`; what it returns takes that back. */
  after(ms: number, run: () => void): () => void;
}

/** A timer that is set for longer runs at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** A number from 0 to below 1. */
export type Random = () => number;

/** A number between two others. */
export function between(random: Random, least: number, most: number): number {
  return least + random() * (most - least);
}

const LONGEST_DELAY_MS = 60_000;

/** How long to wait after so many failures in a row, where the first wait is up to `first`: exponential, with full jitter. */
export function backoff(random: Random, failures: number, first = 1_000): number {
  return random() * Math.min(LONGEST_DELAY_MS, first * 2 ** Math.min(failures, 16));
}

/** No `Retry-After` is heeded for longer. */
export const LONGEST_RETRY_AFTER_MS = 600_000;

/** How long the server wants to be left alone. */
export class Patience {
  readonly #clock: Clock;
  readonly #random: Random;
  #until = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A failure came with these seconds as `Retry-After`. */
  heed(seconds: number): void {
    this.#until = this.#clock.now() + seconds * 1000 + this.#random() * 1000;
  }

  /** Milliseconds from now. */
  get left(): number {
    const now = this.#clock.now();
    // Somebody may have set the clock back.
    this.#until = Math.min(this.#until, now + LONGEST_RETRY_AFTER_MS);
    return Math.max(0, this.#until - now);
  }
}
