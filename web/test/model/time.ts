/** Time that passes when a test says so. */
import type { Clock } from '../../src/core/clock';

interface Timer {
  at: number;
  order: number;
  run: () => void;
}

export class VirtualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #ahead = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now + this.#ahead;
  }

  /** Somebody sets the clock; what waits is due no sooner and no later. */
  set(ms: number): void {
    this.#ahead += ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and everything happen that is due in it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
      await settle();
    }
    this.#now = end;
  }

  /** Lets time pass until `condition` holds. */
  async until(condition: () => boolean, atMost = 3_600_000): Promise<void> {
    const end = this.#now + atMost;
    await settle();
    while (!condition()) {
      const next = this.#earliest();
      if (!next || next.at > end) throw new Error(`it did not happen within ${atMost} ms`);
      await this.advance(next.at - this.#now);
    }
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (!earliest || timer.at < earliest.at || (timer.at === earliest.at && timer.order < earliest.order)) earliest = timer;
    }
    return earliest;
  }
}

/** All promises that can go on have gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Numbers that follow from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
