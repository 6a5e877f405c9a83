/** Catching up: asks `changes` from where this client is. Only these answers move the cursor; frames do not. */
import { ApiError } from '../api/client';
import type { Change, ChangesReply } from '../api/types';
import { backoff, type Clock, Patience, type Random } from './clock';

export interface SyncListener {
  /** A page, to be applied whole: it leads to the cursor `next`. */
  page(changes: Change[], next: string): void;
  /** What is known here cannot be brought up to date: everything is to be thrown away and loaded anew. Also the first time. */
  reset(): void;
  /** Everything up to the moment `at` is here. `again`: somebody asked since, and another run follows at once. */
  upToDate(at: number, again: boolean): void;
  /** A try failed; another follows. */
  failed(error: unknown): void;
}

export interface SyncOptions {
  changes(after: string | null, signal: AbortSignal): Promise<ChangesReply>;
  clock: Clock;
  random: Random;
}

/** More pages than these take longer than loading what is looked at. */
const MOST_PAGES = 30;

export class Sync {
  readonly #options: SyncOptions;
  readonly #listener: SyncListener;
  readonly #patience: Patience;
  #cursor: string | null = null;
  #running: AbortController | null = null;
  /** Somebody asked while one was running: what it has read may be older than what they mean. */
  #again = false;
  #failures = 0;
  #forgetTry: (() => void) | null = null;

  constructor(options: SyncOptions, listener: SyncListener) {
    this.#options = options;
    this.#listener = listener;
    this.#patience = new Patience(options.clock, options.random);
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  /** Takes over a place up to which everything is here. */
  moveTo(cursor: string): void {
    this.#cursor = cursor;
  }

  /** Catches up now, or once more after what is running. */
  request(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    const wait = this.#patience.left;
    if (wait > 0) this.#schedule(wait);
    else void this.#run();
  }

  /** Ends what is running and forgets what was asked for; the cursor stays. */
  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#again = false;
    this.#forgetTry?.();
    this.#forgetTry = null;
  }

  #schedule(ms: number): void {
    this.#forgetTry?.();
    this.#forgetTry = this.#options.clock.after(ms, () => {
      this.#forgetTry = null;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#forgetTry?.();
    this.#forgetTry = null;
    const controller = (this.#running = new AbortController());
    const { signal } = controller;
    const { clock, random } = this.#options;
    try {
      do {
        this.#again = false;
        const begun = clock.now();
        await this.#catchUp(signal);
        if (signal.aborted) return;
        this.#failures = 0;
        this.#listener.upToDate(begun, this.#again);
      } while (this.#again && !signal.aborted);
      if (this.#running === controller) this.#running = null;
    } catch (error) {
      if (signal.aborted) return;
      this.#running = null;
      if (error instanceof ApiError && error.retryAfter !== undefined) this.#patience.heed(error.retryAfter);
      this.#schedule(Math.max(backoff(random, this.#failures++), this.#patience.left));
      this.#listener.failed(error);
    }
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const { changes } = this.#options;
    for (let pages = 0; this.#cursor !== null && pages < MOST_PAGES; pages += 1) {
      let reply: ChangesReply;
      try {
        reply = await changes(this.#cursor, signal);
      } catch (error) {
        // 422: a cursor of another installation, or of another version of the API.
        if (error instanceof ApiError && (error.status === 410 || error.status === 422)) break;
        throw error;
      }
      if (signal.aborted) return;
      this.#cursor = reply.next_cursor;
      this.#listener.page(reply.changes, reply.next_cursor);
      if (!reply.has_more) return;
    }
    if (signal.aborted) return;
    const { next_cursor } = await changes(null, signal);
    if (signal.aborted) return;
    this.#cursor = next_cursor;
    this.#listener.reset();
  }
}
