/** A browser with tabs that share locks and channels, freeze, and die. */
import type { Page, PageEvent } from '../../src/core/page';
import type { Browser, Channel } from '../../src/core/tabs';
import type { Clock } from '../../src/core/clock';
import type { Place } from './server';

interface Request {
  tab: ModelTab;
  hold: () => Promise<void>;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

class ModelChannel implements Channel {
  onmessage: ((event: MessageEvent) => unknown) | null = null;
  readonly #browser: ModelBrowser;
  readonly tab: ModelTab;
  readonly #name: string;
  /** When the last letter arrives that is on its way here. */
  #last = 0;

  constructor(browser: ModelBrowser, tab: ModelTab, name: string) {
    this.#browser = browser;
    this.tab = tab;
    this.#name = name;
    if (!tab.dead) browser.channels.add(this);
  }

  postMessage(letter: unknown): void {
    if (this.tab.dead) return;
    if (!this.#browser.channels.has(this)) throw new Error('closed');
    const data: unknown = structuredClone(letter);
    for (const other of this.#browser.channels) {
      if (other === this || other.#name !== this.#name) continue;
      if (this.#browser.random() < this.#browser.lost) continue;
      // Letters keep their order.
      const now = this.#browser.clock.now();
      other.#last = Math.max(now + 1, other.#last + this.#browser.random() * this.#browser.apart);
      this.#browser.clock.after(other.#last - now, () => other.tab.enter(() => other.onmessage?.({ data } as MessageEvent)));
    }
  }

  close(): void {
    this.#browser.channels.delete(this);
  }
}

export class ModelBrowser {
  readonly clock: Clock;
  readonly random: () => number;
  readonly channels = new Set<ModelChannel>();
  /** The chance that a tab misses a letter. */
  lost = 0;
  /** How far apart two letters may arrive at most, in milliseconds. */
  apart = 0;
  readonly #held = new Map<string, Request>();
  readonly #waiting = new Map<string, Request[]>();

  constructor(clock: Clock, random: () => number) {
    this.clock = clock;
    this.random = random;
  }

  /** How many locks are held or waited for. */
  get locks(): number {
    return this.#held.size + [...this.#waiting.values()].flat().length;
  }

  tab(): ModelTab {
    return new ModelTab(this);
  }

  request(tab: ModelTab, name: string, { steal, signal }: LockOptions, hold: () => Promise<void>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (tab.dead) return;
      const request: Request = { tab, hold, resolve, reject };
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, waiting);
      if (steal) {
        const victim = this.#held.get(name);
        this.#held.delete(name);
        waiting.unshift(request);
        victim?.tab.enter(() => victim.reject(new DOMException('stolen', 'AbortError')));
      } else {
        waiting.push(request);
      }
      signal?.addEventListener('abort', () => {
        const place = waiting.indexOf(request);
        if (place >= 0) {
          waiting.splice(place, 1);
          reject(new DOMException('aborted', 'AbortError'));
        }
      });
      this.#grant(name);
    });
  }

  /** A tab is gone, and what it had with it. */
  bury(tab: ModelTab): void {
    for (const channel of this.channels) if (channel.tab === tab) this.channels.delete(channel);
    for (const [name, waiting] of this.#waiting) {
      for (const request of waiting.filter((one) => one.tab === tab)) waiting.splice(waiting.indexOf(request), 1);
      if (this.#held.get(name)?.tab === tab) this.#held.delete(name);
      this.#grant(name);
    }
  }

  #grant(name: string): void {
    if (this.#held.has(name)) return;
    const next = this.#waiting.get(name)?.shift();
    if (!next) return;
    this.#held.set(name, next);
    this.clock.after(0, () =>
      next.tab.enter(() => {
        if (this.#held.get(name) !== next) return;
        void next.hold().then(() => {
          if (this.#held.get(name) === next) {
            this.#held.delete(name);
            this.#grant(name);
          }
          next.resolve(undefined);
        });
      }),
    );
  }
}

/** A tab: what comes from outside waits while it is frozen, and is nothing to it once it is dead. */
export class ModelTab implements Place {
  readonly #browser: ModelBrowser;
  readonly #queue: (() => void)[] = [];
  readonly #timers = new Set<() => void>();
  readonly #listeners = new Set<(event: PageEvent) => void>();
  #state: 'awake' | 'frozen' | 'dead' = 'awake';
  #online = true;
  visible = true;
  readonly clock: Clock;
  readonly page: Page;
  readonly browser: Browser;

  constructor(browser: ModelBrowser) {
    this.#browser = browser;
    this.clock = {
      now: () => browser.clock.now(),
      after: (ms, run) => {
        if (this.dead) return () => {};
        let forgotten = false;
        const forget = browser.clock.after(ms, () => {
          this.#timers.delete(forget);
          this.enter(() => !forgotten && run());
        });
        this.#timers.add(forget);
        return () => {
          forgotten = true;
          this.#timers.delete(forget);
          forget();
        };
      },
    };
    const visible = () => this.visible;
    const online = () => this.#online;
    this.page = {
      get visible() {
        return visible();
      },
      get online() {
        return online();
      },
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
    this.browser = {
      locks: { request: (name, options, hold) => browser.request(this, name, options, hold) },
      channel: (name) => new ModelChannel(browser, this, name),
    };
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  enter(run: () => void): void {
    if (this.#state === 'awake') run();
    else if (this.#state === 'frozen') this.#queue.push(run);
  }

  online(): boolean {
    return this.#online && !this.dead;
  }

  tell(event: PageEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.enter(() => this.tell(online ? 'online' : 'offline'));
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.enter(() => this.tell('visibility'));
  }

  /** Stops without being told, as a page whose thread hangs. */
  freeze(): void {
    if (this.#state === 'awake') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'awake';
    for (const run of this.#queue.splice(0)) run();
  }

  /** The browser closes or kills it. */
  die(): void {
    this.#state = 'dead';
    for (const forget of this.#timers) forget();
    this.#browser.bury(this);
  }
}
