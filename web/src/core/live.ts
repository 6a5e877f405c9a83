/**
 * What a page uses: every change of what it shows, from now on, without a gap.
 *
 * A tab leads (it has the socket, and asks `changes`) or follows (it hears what the leader hears). Everywhere holds: all changes before the
 * tab's cursor have been told here. Frames are told too, as they come, but only `changes` moves the cursor, so a frame that was lost is
 * among the next ones.
 */
import { ApiError, Client, type ClientOptions } from '../api/client';
import type { Change } from '../api/types';
import { backoff, between, type Clock, type Random, systemClock } from './clock';
import { Connection } from './connection';
import { type Page, type PageEvent, thisPage } from './page';
import type { WebSocketConstructor } from './socket';
import { Sync } from './sync';
import { type Browser, type Place, Tabs, thisBrowser } from './tabs';
import { factOf, Versions } from './versions';

/** `live`: changes come as they happen. `connecting`: soon. `offline`: not now, but it is tried again and again. `session_expired`: somebody has to sign in. */
export type State = 'connecting' | 'live' | 'offline' | 'session_expired';

export interface Status {
  readonly state: State;
  /** Everything up to this moment is here, in milliseconds since 1970; null before the first time. */
  readonly upToDateAt: number | null;
}

export type LiveEvent =
  /** Objects changed, each newer than all that was told of it before. */
  | { type: 'changes'; changes: Change[] }
  /** The customer of this conversation writes. */
  | { type: 'typing'; conversationId: number }
  /** Throw everything away and load what is shown; also the first time. Answers to earlier requests must not be used: see [`Live.now`]. */
  | { type: 'reset' }
  | { type: 'status'; status: Status };

/** When something is asked for: what it takes to use the answer. */
export interface Moment {
  /** The largest version heard so far: the answer is at least as new. */
  readonly version: number;
  /** Aborted when a reset, or the end, makes the answer worthless. */
  readonly signal: AbortSignal;
}

export interface LiveOptions extends Pick<ClientOptions, 'apiUrl' | 'getAccessToken' | 'fetch' | 'clock'> {
  WebSocket?: WebSocketConstructor;
  random?: Random;
  page?: Page;
  /** How tabs find each other; null for a tab on its own. */
  browser?: Browser | null;
}

const POLL_LEAST_MS = 54_000;
const POLL_MOST_MS = 66_000;
const PAGE_SIZE = 100;

export function createLive(options: LiveOptions): Live {
  return new Live(options);
}

export class Live {
  /** The API with this user's token. */
  readonly client: Client;
  readonly #options: LiveOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #page: Page;
  #session: Session | null = null;
  #status: Status = { state: 'connecting', upToDateAt: null };
  #epoch = new AbortController();
  #user: string | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#page = options.page ?? thisPage();
    this.client = new Client({ ...options, clock: this.#clock, getAccessToken: (how) => this.#token(how.forceRefresh) });
    this.#epoch.abort();
  }

  get status(): Status {
    return this.#status;
  }

  /** To be taken before each request whose answer is kept. */
  now(): Moment {
    return { version: this.#session?.version ?? 0, signal: this.#epoch.signal };
  }

  /** Calls `listener` at each event; what it returns ends that. */
  subscribe(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whose token it is since the start; null where it does not say. Rejects where there is none now. */
  async user(signal?: AbortSignal): Promise<string | null> {
    await this.client.token(signal);
    return this.#user;
  }

  /** Begins, with a reset. Does nothing when it has begun. */
  start(): void {
    if (this.#session) return;
    this.#user = null;
    this.#session = new Session(this.#options, this.client, this.#clock, this.#random, this.#page, {
      emit: (event) => this.#emit(event),
      user: async (signal) => {
        await this.client.token(signal);
        return this.#user;
      },
    });
    this.#session.begin();
  }

  /** Ends: no timer, listener, lock, socket or channel is left. It may be started again. */
  stop(): void {
    this.#session?.end();
    this.#session = null;
    this.#epoch.abort();
    this.#status = { state: 'connecting', upToDateAt: null };
  }

  /** Resolves once everything up to now is here, however often that has to be tried; rejects when it is stopped first. */
  catchUp(): Promise<void> {
    return this.#session ? this.#session.catchUp() : Promise.reject(new Error('It has not been started'));
  }

  /** The token; null also when it is another user's than at the start, whose changes must not be mixed with these. */
  async #token(forceRefresh: boolean): Promise<string | null> {
    const token = await this.#options.getAccessToken({ forceRefresh });
    if (token === null) return null;
    const user = userOf(token);
    this.#user ??= user;
    return user === this.#user ? token : null;
  }

  #emit(event: LiveEvent): void {
    if (event.type === 'status') this.#status = event.status;
    if (event.type === 'reset') {
      this.#epoch.abort();
      this.#epoch = new AbortController();
    }
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A page's mistake is the page's: it must not cost a change.
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }
}

/** From start to stop. */
class Session {
  readonly #options: LiveOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #page: Page;
  readonly #emit: (event: LiveEvent) => void;
  readonly #user: (signal: AbortSignal) => Promise<string | null>;
  readonly #browser: Browser | null;
  /** What was told already. */
  readonly #versions = new Versions();
  readonly #sync: Sync;
  readonly #connection: Connection;
  #tabs: Tabs<Status> | null = null;
  #leads = false;
  /** Ends with the session, or with the page's freezing. */
  #awake: AbortController | null = null;
  #forgetPoll: () => void = () => {};
  #forgetPage: () => void = () => {};
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #ended = false;

  /** The socket is open, and everything before it is here. */
  #up = false;
  #caughtUp = false;
  #trouble = false;
  #expired = false;
  #status: Status = { state: 'connecting', upToDateAt: null };
  /** While this tab follows: what the leader says, where it stands, and whether that holds for this tab too. */
  #leader: Place<Status> | null = null;
  #aligned = false;
  /** What the leader told since it said where it stands, until this tab has found its way there. */
  #held: Change[] = [];

  constructor(
    options: LiveOptions,
    client: Client,
    clock: Clock,
    random: Random,
    page: Page,
    { emit, user }: { emit: (event: LiveEvent) => void; user: (signal: AbortSignal) => Promise<string | null> },
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#page = page;
    this.#emit = (event) => {
      if (!this.#ended) emit(event);
    };
    this.#user = user;
    this.#browser = options.browser === undefined ? thisBrowser() : options.browser;
    this.#sync = new Sync(
      {
        clock,
        random,
        changes: (after, signal) =>
          client.get('/api/live-chat/changes', { query: after === null ? {} : { after, limit: PAGE_SIZE }, signal }),
      },
      {
        page: (changes, next) => {
          this.#take(changes);
          this.#tabs?.tell(changes, next);
        },
        reset: () => this.#reset(),
        upToDate: (at, again) => this.#upToDate(at, again),
        failed: (error) => this.#failed(error),
      },
    );
    this.#connection = new Connection(
      {
        clock,
        random,
        WebSocket: options.WebSocket ?? WebSocket,
        ticket: (signal) => client.post('/api/live-chat/realtime-ticket', { signal }),
      },
      {
        up: () => {
          this.#up = true;
          this.#caughtUp = false;
          this.#sync.request();
        },
        down: () => {
          this.#up = false;
          this.#tellStatus();
          // The next socket may take a while.
          this.#sync.request();
        },
        failed: (error) => this.#failed(error),
        frame: (frame) => this.#frame(frame),
      },
    );
  }

  get version(): number {
    return this.#versions.largest;
  }

  begin(): void {
    this.#forgetPage = this.#page.listen((event) => this.#pageEvent(event));
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#forgetPage();
    this.#sleep();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error('It was stopped'));
  }

  catchUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#sync.request();
    });
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = new AbortController();
    this.#trouble = !this.#page.online;
    this.#tellStatus();
    this.#sync.request();
    if (this.#browser) void this.#join(this.#browser, this.#awake.signal, 0);
    else this.#lead();
  }

  #sleep(): void {
    this.#awake?.abort();
    this.#awake = null;
    this.#tabs?.leave();
    this.#tabs = null;
    this.#follow();
  }

  /** Finds the other tabs of this user. */
  async #join(browser: Browser, signal: AbortSignal, failures: number): Promise<void> {
    const user = await this.#user(signal).catch(() => undefined);
    if (signal.aborted) return;
    if (user === undefined) {
      const forget = this.#clock.after(backoff(this.#random, failures), () => void this.#join(browser, signal, failures + 1));
      signal.addEventListener('abort', forget);
    } else if (user === null) {
      // A token that does not say whose it is.
      this.#lead();
    } else {
      const name = `waba-live-chat ${this.#options.apiUrl.replace(/\/+$/, '')} ${user}`;
      this.#tabs = new Tabs<Status>(
        name,
        this.#page.visible,
        {
          lead: () => this.#lead(),
          follow: () => {
            this.#follow();
            this.#tellStatus();
          },
          place: () => ({ cursor: this.#sync.cursor, status: this.#status }),
          here: (place, continuous) => this.#here(place, continuous),
          news: (changes, next) => this.#news(changes, next),
          gap: () => {
            this.#aligned = false;
            // Its cursor is of no use without what led there.
            this.#leader = null;
            this.#held = [];
          },
          asked: (catchUp) => {
            this.#connection.setVisible(this.#visible);
            if (catchUp) this.#sync.request();
          },
        },
        { browser, clock: this.#clock },
      );
    }
  }

  get #visible(): boolean {
    return this.#tabs?.anyVisible ?? this.#page.visible;
  }

  #lead(): void {
    this.#leads = true;
    this.#leader = null;
    this.#held = [];
    this.#connection.setVisible(this.#visible);
    // The cursor comes before the socket: whatever a frame tells is then no older than the cursor.
    if (this.#sync.cursor !== null) {
      this.#connection.start();
      this.#sync.request();
    }
    this.#poll();
    this.#tellStatus();
  }

  #follow(): void {
    this.#leads = false;
    this.#aligned = false;
    this.#leader = null;
    this.#held = [];
    this.#up = false;
    this.#connection.stop();
    this.#sync.stop();
    this.#forgetPoll();
  }

  #poll(): void {
    this.#forgetPoll();
    this.#forgetPoll = this.#clock.after(between(this.#random, POLL_LEAST_MS, POLL_MOST_MS), () => {
      // A tab that crashed while it was looked at did not say so.
      this.#connection.setVisible(this.#visible);
      this.#sync.request();
      this.#poll();
    });
  }

  #pageEvent(event: PageEvent): void {
    if (event === 'freeze') return this.#sleep();
    if (event === 'thaw') return this.#wake();
    if (!this.#awake) return;
    if (event === 'visibility') {
      this.#tabs?.setVisible(this.#page.visible);
      this.#connection.setVisible(this.#visible);
      if (!this.#page.visible) return;
    }
    if (event === 'offline') this.#trouble = true;
    else if (this.#leads || !this.#aligned) this.#sync.request();
    this.#connection.wake();
    this.#tellStatus();
  }

  #frame(frame: Change): void {
    if (frame.type === 'resync' || frame.truncated) {
      this.#sync.request();
      return;
    }
    const news = this.#take([frame]);
    if (news.length > 0) this.#tabs?.tell(news, null);
  }

  #here(place: Place<Status>, continuous: boolean): void {
    this.#leader = place;
    if (!continuous) {
      // Whoever stands where the leader stands hears everything that follows.
      this.#held = [];
      this.#aligned = place.cursor !== null && place.cursor === this.#sync.cursor;
      if (!this.#aligned || this.#waiters.length > 0) this.#sync.request();
    }
    this.#tellStatus();
  }

  #news(changes: Change[], next: string | null): void {
    if (next !== null && this.#leader) this.#leader = { ...this.#leader, cursor: next };
    if (this.#aligned) {
      this.#take(changes);
      if (next !== null) this.#sync.moveTo(next);
    } else {
      // A frame is made good by what follows the leader's cursor. This tab's own may lie behind that already.
      this.#held.push(...changes);
    }
  }

  /** Tells what is new of these, and returns it. */
  #take(changes: Change[]): Change[] {
    const news: Change[] = [];
    const facts: Change[] = [];
    for (const change of changes) {
      const fact = factOf(change);
      if (fact ? this.#versions.accept(fact) : change.type === 'typing') {
        news.push(change);
        if (fact) facts.push(change);
      }
    }
    if (facts.length > 0) this.#emit({ type: 'changes', changes: facts });
    for (const { type, conversation_id: id } of news) {
      if (type === 'typing' && typeof id === 'number') this.#emit({ type: 'typing', conversationId: id });
    }
    return news;
  }

  #reset(): void {
    this.#versions.clear();
    if (this.#leads) {
      // A frame that is still on its way may be of something that is gone by now, and nothing would say so any more.
      // The tabs hear of the jump first: a letter that names the new cursor as if it went on from the last would move them there.
      this.#tabs?.tellPlace(true);
      this.#connection.replace();
      this.#connection.start();
    }
    this.#emit({ type: 'reset' });
  }

  #upToDate(at: number, again: boolean): void {
    this.#expired = false;
    if (this.#up) this.#trouble = false;
    this.#status = { ...this.#status, upToDateAt: at };
    if (!again) {
      this.#caughtUp = true;
      if (!this.#leads && this.#leader?.cursor) {
        // The leader was there before this run began, so this tab is at least as far.
        this.#aligned = true;
        this.#sync.moveTo(this.#leader.cursor);
        this.#take(this.#held.splice(0));
      }
      for (const waiter of this.#waiters.splice(0)) waiter.resolve();
    }
    this.#tellStatus(true);
  }

  #failed(error: unknown): void {
    this.#trouble = true;
    this.#expired = error instanceof ApiError && error.isSessionExpired;
    this.#tellStatus();
  }

  #tellStatus(always = false): void {
    if (this.#ended) return;
    const before = this.#status;
    const own = this.#expired ? 'session_expired' : this.#up && this.#caughtUp ? 'live' : this.#trouble ? 'offline' : 'connecting';
    const leader = !this.#leads && this.#aligned ? this.#leader?.status : undefined;
    const state = leader?.state ?? own;
    const upToDateAt = leader?.upToDateAt ?? before.upToDateAt;
    this.#status = { state, upToDateAt };
    if (always || state !== before.state || upToDateAt !== before.upToDateAt) {
      this.#emit({ type: 'status', status: this.#status });
      this.#tabs?.tellPlace();
    }
  }
}

/** Whose token it is, where it is a JWT. It is not verified: that is the server's affair. */
function userOf(token: string): string | null {
  try {
    const part = token.split('.')[1] ?? '';
    const { sub } = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: unknown };
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null;
  }
}
