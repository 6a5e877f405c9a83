/**
 * Which of a browser's tabs does what only one may do: the one that holds a lock. They write to each other, and one that leads and does not
 * answer, because its page hangs, loses the lock to who asked.
 */
import type { Clock } from '../core/clock';
import type { Page } from '../core/page';
import type { Browser, Channel } from '../core/tabs';

export interface LeadershipListener<Letter> {
  /** This tab leads now. */
  lead(): void;
  /** This tab leads no more. */
  follow(): void;
  /** Another tab tells. */
  heard(letter: Letter): void;
}

type Post<Letter> = { kind: 'letter'; letter: Letter } | { kind: 'ask' } | { kind: 'here' };

/** How long the leader may take to answer, and how often it may fail to. */
const ANSWER_MS = 5_000;
const MOST_UNANSWERED = 3;

export class Leadership<Letter> {
  readonly #name: string | null;
  readonly #browser: Browser | null;
  readonly #clock: Clock;
  readonly #listener: LeadershipListener<Letter>;
  readonly #forgetPage: () => void;
  #channel: Channel | null = null;
  #isLeader = false;
  #awake: AbortController | null = null;
  #release: (() => void) | null = null;
  #unanswered = 0;
  #forgetAsking: (() => void) | null = null;

  /** Without a name or a browser that has locks, a tab is on its own, and leads. */
  constructor(name: string | null, browser: Browser | null, clock: Clock, page: Page, listener: LeadershipListener<Letter>) {
    this.#name = name;
    this.#browser = browser;
    this.#clock = clock;
    this.#listener = listener;
    this.#forgetPage = page.listen((event) => {
      // Whoever holds a lock while the browser stops its page would keep everybody waiting.
      if (event === 'freeze') this.#sleep();
      else if (event === 'thaw') this.#wake();
    });
    this.#wake();
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Tells the other tabs; the leader has to answer. */
  tell(letter: Letter): void {
    this.#post({ kind: 'letter', letter });
    if (!this.#isLeader) this.#ask();
  }

  leave(): void {
    this.#forgetPage();
    this.#sleep();
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = new AbortController();
    if (this.#name === null || !this.#browser) return this.#lead();
    this.#channel = this.#browser.channel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#receive(data as Post<Letter>);
    this.#campaign(false, this.#awake.signal);
  }

  #sleep(): void {
    this.#awake?.abort();
    this.#awake = null;
    this.#forgetAsking?.();
    this.#forgetAsking = null;
    this.#release?.();
    this.#release = null;
    if (this.#channel) this.#channel.onmessage = null;
    this.#channel?.close();
    this.#channel = null;
    this.#follow();
  }

  #campaign(steal: boolean, signal: AbortSignal): void {
    const hold = () => {
      if (signal.aborted) return Promise.resolve();
      return new Promise<void>((release) => {
        this.#release = release;
        this.#lead();
      });
    };
    this.#browser?.locks.request(this.#name ?? '', steal ? { steal } : { signal }, hold).catch((error: unknown) => {
      if (signal.aborted) return;
      if ((error as Error).name === 'AbortError') {
        // Another tab has taken the lock.
        this.#follow();
        this.#campaign(false, signal);
      } else if (!steal) {
        // There are no locks for this page: it is on its own.
        this.#lead();
      }
    });
  }

  #lead(): void {
    this.#isLeader = true;
    this.#forgetAsking?.();
    this.#forgetAsking = null;
    this.#post({ kind: 'here' });
    this.#listener.lead();
  }

  #follow(): void {
    if (!this.#isLeader) return;
    this.#isLeader = false;
    this.#release = null;
    this.#listener.follow();
  }

  /** Asks the leader for a sign of life, until one comes. */
  #ask(): void {
    if (this.#forgetAsking || !this.#awake || !this.#channel) return;
    const { signal } = this.#awake;
    this.#post({ kind: 'ask' });
    this.#forgetAsking = this.#clock.after(ANSWER_MS, () => {
      this.#forgetAsking = null;
      this.#unanswered += 1;
      if (this.#unanswered >= MOST_UNANSWERED) {
        this.#unanswered = 0;
        this.#campaign(true, signal);
      } else {
        this.#ask();
      }
    });
  }

  #post(post: Post<Letter>): void {
    this.#channel?.postMessage(post);
  }

  #receive(post: Post<Letter>): void {
    if (post.kind === 'letter') return this.#listener.heard(post.letter);
    if (post.kind === 'ask') {
      if (this.#isLeader) this.#post({ kind: 'here' });
      return;
    }
    this.#unanswered = 0;
    this.#forgetAsking?.();
    this.#forgetAsking = null;
  }
}
