/**
 * Which of a browser's tabs sounds. Each hears of a message by itself, and they agree by Web Locks: these end with their tab, whatever
 * ends it, and are no timers, which browsers slow down in hidden tabs to one a minute.
 */

export interface ClaimLocks {
  request(name: string, options: LockOptions, hold: (lock: unknown) => unknown): Promise<unknown>;
  query(): Promise<{ held?: { name?: string }[] }>;
}

/** What all visible tabs look at. */
export interface Eyes {
  readonly anyone: boolean;
  sees(conversationId: number): boolean;
}

/** Within this time no other tab takes the same message. */
const MESSAGE_MS = 30_000;
/** Messages in quick succession sound once. */
export const QUIET_MS = 1_500;

export class Claims {
  readonly #scope: string;
  readonly #locks: ClaimLocks | null;
  #looking: { conversationId: number | null } | null = null;
  #release: () => void = () => {};
  /** Ends what is held. */
  readonly #held = new Set<() => void>();

  /** `scope` names the user. Without locks (plain HTTP) each tab is on its own. */
  constructor(scope: string, locks: ClaimLocks | null = typeof navigator === 'undefined' ? null : (navigator.locks ?? null)) {
    this.#scope = scope;
    this.#locks = locks;
  }

  /** This tab is visible and shows a conversation, or none; null: it is hidden. */
  look(looking: { conversationId: number | null } | null): void {
    if (this.#looking?.conversationId === looking?.conversationId && (this.#looking === null) === (looking === null)) return;
    this.#looking = looking;
    this.#release();
    this.#release = () => {};
    if (!looking || !this.#locks) return;
    const until = new Promise<void>((resolve) => (this.#release = resolve));
    void this.#locks.request(`${this.#scope} eyes ${looking.conversationId ?? ''}`, { mode: 'shared' }, () => until).catch(() => {});
  }

  async eyes(): Promise<Eyes> {
    const own = this.#looking;
    const prefix = `${this.#scope} eyes `;
    const held = this.#locks ? ((await this.#locks.query()).held ?? []) : [];
    const looked = new Set(held.map(({ name = '' }) => name).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)));
    if (own) looked.add(String(own.conversationId ?? ''));
    return { anyone: looked.size > 0, sees: (id) => looked.has(String(id)) };
  }

  /** Whether this tab is the first to do `what` about one of these messages. */
  async claim(what: 'sound' | 'show', messageIds: readonly number[]): Promise<boolean> {
    const taken = await Promise.all(messageIds.map((id) => this.#take(`${what} ${id}`, MESSAGE_MS)));
    return taken.includes(true);
  }

  /** Whether no tab sounded just now. */
  quiet(): Promise<boolean> {
    return this.#take('sounding', QUIET_MS);
  }

  end(): void {
    this.look(null);
    for (const release of this.#held) release();
  }

  #take(name: string, milliseconds: number): Promise<boolean> {
    const locks = this.#locks;
    if (!locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      const hold = (lock: unknown) => {
        resolve(lock !== null);
        if (lock === null) return undefined;
        return new Promise<void>((done) => {
          const release = () => {
            clearTimeout(timer);
            this.#held.delete(release);
            done();
          };
          const timer = setTimeout(release, milliseconds);
          this.#held.add(release);
        });
      };
      // A page that is being closed gets no lock, and needs none.
      locks.request(`${this.#scope} ${name}`, { ifAvailable: true }, hold).catch(() => resolve(false));
    });
  }
}
