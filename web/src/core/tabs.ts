/**
 * One socket a browser and user: a Web Lock says which tab leads, a BroadcastChannel carries what it hears to the others.
 *
 * The leader numbers its letters, so a tab that missed one knows. Each tab that follows asks the leader for a sign of life; one that does
 * not answer (its page is frozen) loses the lock to the one who asked.
 */
import type { Change } from '../api/types';
import type { Clock } from './clock';

export interface Channel {
  onmessage: ((event: MessageEvent) => unknown) | null;
  postMessage(letter: unknown): void;
  close(): void;
}

export interface Locks {
  request(name: string, options: LockOptions, hold: () => Promise<void>): Promise<unknown>;
}

/** How tabs of one browser find each other. */
export interface Browser {
  locks: Locks;
  channel(name: string): Channel;
}

/** The browser around this script; null where there is none, or it lacks what this needs (plain HTTP has no locks). */
export function thisBrowser(): Browser | null {
  if (typeof document === 'undefined' || typeof BroadcastChannel === 'undefined' || !navigator.locks) return null;
  const { locks } = navigator;
  return {
    locks: { request: (name, options, hold) => locks.request(name, options, hold) },
    channel: (name) => new BroadcastChannel(name),
  };
}

/** Where the leader stands, which every tab may know. */
export interface Place<Status> {
  cursor: string | null;
  status: Status;
}

export interface TabsListener<Status> {
  /** This tab leads now. */
  lead(): void;
  /** This tab leads no more. */
  follow(): void;
  /** Where this tab stands, for those who follow it. */
  place(): Place<Status>;
  /** Where the leader stands. Unless `continuous`, something may have been missed before. */
  here(place: Place<Status>, continuous: boolean): void;
  /** What the leader heard; with `next` it is a page of `changes`, and everything before that cursor has been told now. */
  news(changes: Change[], next: string | null): void;
  /** Letters of the leader are missing; it says soon where it stands. */
  gap(): void;
  /** Who looks has changed, or a tab wants to be brought up to date (leader only). */
  asked(catchUp: boolean): void;
}

type Letter<Status> =
  | { kind: 'hello'; tab: string; visible: boolean; catchUp: boolean }
  /** A hello that wants no answer: with two leaders for a moment there would be no end of them. */
  | { kind: 'visible'; tab: string }
  | { kind: 'bye'; tab: string }
  | { kind: 'here'; leader: string; seq: number; place: Place<Status> }
  | { kind: 'news'; leader: string; seq: number; changes: Change[]; next: string | null };

const HELLO_MS = 30_000;
/** How long a leader may take to answer, and how often it may fail to. */
const ANSWER_MS = 5_000;
const MOST_UNANSWERED = 3;
/** A tab that was not heard of for so long is gone: browsers wake hidden tabs once a minute. */
const SILENCE_MS = 180_000;

export class Tabs<Status> {
  readonly #name: string;
  readonly #browser: Browser;
  readonly #clock: Clock;
  readonly #listener: TabsListener<Status>;
  readonly #channel: Channel;
  /** This tab's name, and while it leads its leadership's. */
  readonly #tab = crypto.randomUUID();
  #leadership: string | null = null;
  #left = false;
  #visible: boolean;
  /** The leader that is followed, and the number of its last letter. */
  #leader: string | null = null;
  #seq = 0;
  #unanswered = 0;
  #forgetHello: () => void = () => {};
  /** The request for the lock: waiting, or held until `release`. */
  #waiting: AbortController | null = null;
  #release: (() => void) | null = null;
  /** The other tabs that are visible, and when they said so. */
  readonly #visibleTabs = new Map<string, number>();

  constructor(name: string, visible: boolean, listener: TabsListener<Status>, { browser, clock }: { browser: Browser; clock: Clock }) {
    this.#name = name;
    this.#visible = visible;
    this.#browser = browser;
    this.#clock = clock;
    this.#listener = listener;
    this.#channel = browser.channel(name);
    this.#channel.onmessage = ({ data }) => this.#receive(data as Letter<Status>);
    this.#campaign(false);
    this.#hello(false);
  }

  /** Whether this tab, or while it leads any tab, is looked at. */
  get anyVisible(): boolean {
    if (this.#visible) return true;
    for (const [tab, at] of this.#visibleTabs) {
      if (this.#clock.now() - at < SILENCE_MS) return true;
      this.#visibleTabs.delete(tab);
    }
    return false;
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    if (this.#leadership === null) this.#hello(visible);
  }

  /** Tells those who follow what was heard. */
  tell(changes: Change[], next: string | null): void {
    if (this.#leadership === null) return;
    this.#seq += 1;
    this.#post({ kind: 'news', leader: this.#leadership, seq: this.#seq, changes, next });
  }

  /** Tells those who follow where this tab stands. With `jump`, what led there cannot be told: each has to find its own way. */
  tellPlace(jump = false): void {
    if (this.#leadership === null) return;
    if (jump) this.#seq += 1;
    this.#post({ kind: 'here', leader: this.#leadership, seq: this.#seq, place: this.#listener.place() });
  }

  /** Goes for good; another tab leads. */
  leave(): void {
    if (this.#left) return;
    this.#post({ kind: 'bye', tab: this.#tab });
    this.#left = true;
    this.#leadership = null;
    this.#forgetHello();
    this.#waiting?.abort();
    this.#release?.();
    this.#channel.onmessage = null;
    this.#channel.close();
  }

  #campaign(steal: boolean): void {
    const waiting = new AbortController();
    let held = false;
    const hold = () => {
      if (this.#left || waiting.signal.aborted) return Promise.resolve();
      // What waited in the line meanwhile is not needed any more.
      if (this.#waiting !== waiting) this.#waiting?.abort();
      this.#waiting = null;
      held = true;
      return new Promise<void>((release) => {
        this.#release = release;
        this.#lead();
      });
    };
    if (!steal) this.#waiting = waiting;
    this.#browser.locks.request(this.#name, steal ? { steal } : { signal: waiting.signal }, hold).catch((error: unknown) => {
      if (this.#left || waiting.signal.aborted) return;
      if (held) this.#follow();
      if ((error as Error).name === 'AbortError') {
        // Another tab has taken the lock.
        this.#campaign(false);
      } else if (!steal) {
        // There are no locks for this page: it is on its own.
        this.#waiting = null;
        this.#lead();
      }
    });
  }

  #lead(): void {
    this.#leadership = crypto.randomUUID();
    this.#leader = null;
    this.#seq = 0;
    this.#forgetHello();
    this.#listener.lead();
    this.tellPlace();
  }

  #follow(): void {
    this.#leadership = null;
    this.#release = null;
    this.#visibleTabs.clear();
    this.#listener.follow();
    this.#hello(false);
  }

  /** Asks for a sign of life, again and again. */
  #hello(catchUp: boolean): void {
    this.#post({ kind: 'hello', tab: this.#tab, visible: this.#visible, catchUp });
    this.#unanswered += 1;
    this.#waitFor(ANSWER_MS);
  }

  #waitFor(ms: number): void {
    this.#forgetHello();
    this.#forgetHello = this.#clock.after(ms, () => {
      if (this.#unanswered >= MOST_UNANSWERED) {
        this.#unanswered = 0;
        this.#campaign(true);
      }
      this.#hello(false);
    });
  }

  #post(letter: Letter<Status>): void {
    if (!this.#left) this.#channel.postMessage(letter);
  }

  #receive(letter: Letter<Status>): void {
    if (this.#left) return;
    switch (letter.kind) {
      case 'hello':
      case 'visible':
      case 'bye':
        if (this.#leadership !== null) this.#heardFrom(letter);
        return;
      case 'here':
      case 'news':
        if (this.#leadership === null) this.#heardLeader(letter);
        return;
    }
  }

  #heardFrom(letter: Extract<Letter<Status>, { kind: 'hello' | 'visible' | 'bye' }>): void {
    if (letter.kind === 'visible' || (letter.kind === 'hello' && letter.visible)) this.#visibleTabs.set(letter.tab, this.#clock.now());
    else this.#visibleTabs.delete(letter.tab);
    this.#listener.asked(letter.kind === 'hello' && letter.catchUp);
    if (letter.kind === 'hello') this.tellPlace();
  }

  #heardLeader(letter: Extract<Letter<Status>, { kind: 'here' | 'news' }>): void {
    this.#unanswered = 0;
    this.#waitFor(HELLO_MS);
    const known = letter.leader === this.#leader;
    if (letter.kind === 'here') {
      const continuous = known && letter.seq === this.#seq;
      this.#leader = letter.leader;
      this.#seq = letter.seq;
      this.#listener.here(letter.place, continuous);
      // A new leader takes it that nobody looks, until it hears otherwise.
      if (!known && this.#visible) this.#post({ kind: 'visible', tab: this.#tab });
    } else if (known && letter.seq === this.#seq + 1) {
      this.#seq = letter.seq;
      this.#listener.news(letter.changes, letter.next);
    } else {
      // Not even the changes are taken: a leader that was frozen tells of things that are long gone.
      this.#listener.gap();
      this.#leader = null;
      this.#hello(false);
    }
  }
}
