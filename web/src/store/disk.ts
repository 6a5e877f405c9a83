/** What one user's pages keep in this browser: a database of its own for each API and user, or the memory where there is none. */
import type { Clock } from '../core/clock';

/** `outbox`: what is to be sent, in the order of `seq`, which the database gives. `requests`: what was sent. `drafts`. `cache`: what was shown last. */
export type Shelf = 'outbox' | 'requests' | 'drafts' | 'cache';

/** What takes longer counts as not there. */
const LONGEST_OPENING_MS = 5_000;

const KEYS: Record<Shelf, string> = { outbox: 'seq', requests: 'messageId', drafts: 'conversationId', cache: 'key' };
const SHELVES = Object.keys(KEYS) as Shelf[];

/** One write of several: a value that has its key in it, or the key of one to delete. */
export type Write = { shelf: Shelf; put: object } | { shelf: Shelf; delete: IDBValidKey };

export interface Disk {
  /** Whether what is written here is there after the page was closed, and for other tabs. */
  readonly isShared: boolean;
  all<T>(shelf: Shelf): Promise<T[]>;
  get<T>(shelf: Shelf, key: IDBValidKey): Promise<T | undefined>;
  /** Adds a value that is given its key; tells it. */
  add(shelf: Shelf, value: object): Promise<number>;
  /** All or nothing. */
  write(writes: readonly Write[]): Promise<void>;
  /** Changes a value that is there; what is gone stays gone. */
  change<T extends object>(shelf: Shelf, key: IDBValidKey, change: (value: T) => T): Promise<void>;
  /** Deletes everything. */
  clear(): Promise<void>;
  close(): void;
}

/** The name of what one user of one API keeps. */
export function diskName(apiUrl: string, userId: string): string {
  return `waba-live-chat ${apiUrl.replace(/\/+$/, '')} ${userId}`;
}

/** Opens the database `name`; the memory takes its place where the browser gives none, as some do in private windows. */
export async function openDisk(name: string, factory: IDBFactory | null, clock: Clock): Promise<Disk> {
  if (!factory) return new MemoryDisk();
  const disk = new DatabaseDisk(name, factory);
  let forget = () => {};
  // Some browsers never answer, as while another tab's deletion hangs.
  const late = new Promise<never>((_, reject) => (forget = clock.after(LONGEST_OPENING_MS, () => reject(new Error('The database does not open')))));
  try {
    await Promise.race([disk.open(), late]);
    return disk;
  } catch {
    disk.close();
    return new MemoryDisk();
  } finally {
    forget();
  }
}

class DatabaseDisk implements Disk {
  readonly isShared = true;
  readonly #name: string;
  readonly #factory: IDBFactory;
  #database: Promise<IDBDatabase> | null = null;

  constructor(name: string, factory: IDBFactory) {
    this.#name = name;
    this.#factory = factory;
  }

  open(): Promise<IDBDatabase> {
    this.#database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = this.#factory.open(this.#name, 1);
      request.onupgradeneeded = () => {
        for (const shelf of SHELVES) request.result.createObjectStore(shelf, { keyPath: KEYS[shelf], autoIncrement: shelf === 'outbox' });
      };
      request.onsuccess = () => {
        const database = request.result;
        // Of a later version in another tab, or deleted with the site's data: the next use opens it anew.
        database.onversionchange = () => {
          database.close();
          this.#database = null;
        };
        database.onclose = () => (this.#database = null);
        resolve(database);
      };
      request.onerror = () => reject(request.error ?? new Error('The database cannot be opened'));
      request.onblocked = () => reject(new Error('The database is blocked'));
    }).catch((error: unknown) => {
      this.#database = null;
      throw error;
    });
    return this.#database;
  }

  all<T>(shelf: Shelf): Promise<T[]> {
    return this.#run<T[]>([shelf], 'readonly', (transaction, done) => result(transaction.objectStore(shelf).getAll() as IDBRequest<T[]>, done));
  }

  get<T>(shelf: Shelf, key: IDBValidKey): Promise<T | undefined> {
    return this.#run<T | undefined>([shelf], 'readonly', (transaction, done) => result(transaction.objectStore(shelf).get(key) as IDBRequest<T | undefined>, done));
  }

  add(shelf: Shelf, value: object): Promise<number> {
    return this.#run<number>([shelf], 'readwrite', (transaction, done) => result(transaction.objectStore(shelf).add(value) as IDBRequest<number>, done));
  }

  write(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return Promise.resolve();
    return this.#run<void>([...new Set(writes.map(({ shelf }) => shelf))], 'readwrite', (transaction) => {
      for (const write of writes) {
        const store = transaction.objectStore(write.shelf);
        if ('put' in write) store.put(write.put);
        else store.delete(write.delete);
      }
    });
  }

  change<T extends object>(shelf: Shelf, key: IDBValidKey, change: (value: T) => T): Promise<void> {
    return this.#run<void>([shelf], 'readwrite', (transaction) => {
      const store = transaction.objectStore(shelf);
      result(store.get(key) as IDBRequest<T | undefined>, (value) => {
        if (value !== undefined) store.put(change(value));
      });
    });
  }

  clear(): Promise<void> {
    return this.#run<void>(SHELVES, 'readwrite', (transaction) => {
      for (const shelf of SHELVES) transaction.objectStore(shelf).clear();
    });
  }

  close(): void {
    this.#database?.then((database) => database.close()).catch(() => {});
    this.#database = null;
  }

  /** Resolves once the transaction is done: what was written is kept. */
  async #run<T>(shelves: Shelf[], mode: IDBTransactionMode, work: (transaction: IDBTransaction, done: (value: T) => void) => void): Promise<T> {
    const begin = async () => (await this.open()).transaction(shelves, mode);
    // A connection that the browser has closed says so only when it is used.
    const transaction = await begin().catch(() => {
      this.#database = null;
      return begin();
    });
    return new Promise<T>((resolve, reject) => {
      let value: T | undefined;
      transaction.oncomplete = () => resolve(value as T);
      transaction.onabort = () => reject(transaction.error ?? new Error('It could not be kept'));
      try {
        work(transaction, (found) => (value = found));
      } catch (error) {
        // Such as a value that cannot be stored.
        transaction.abort();
        reject(error as Error);
      }
    });
  }
}

function result<T>(request: IDBRequest<T>, done: (value: T) => void): void {
  request.onsuccess = () => done(request.result);
}

/** For one tab, as long as it is open. */
class MemoryDisk implements Disk {
  readonly isShared = false;
  readonly #shelves = new Map<Shelf, Map<IDBValidKey, object>>(SHELVES.map((shelf) => [shelf, new Map()]));
  #seq = 0;

  all<T>(shelf: Shelf): Promise<T[]> {
    return Promise.resolve([...this.#shelf(shelf).values()] as T[]);
  }

  get<T>(shelf: Shelf, key: IDBValidKey): Promise<T | undefined> {
    return Promise.resolve(this.#shelf(shelf).get(key) as T | undefined);
  }

  add(shelf: Shelf, value: object): Promise<number> {
    this.#seq += 1;
    this.#shelf(shelf).set(this.#seq, { ...value, [KEYS[shelf]]: this.#seq });
    return Promise.resolve(this.#seq);
  }

  write(writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      if ('put' in write) this.#shelf(write.shelf).set((write.put as Record<string, IDBValidKey>)[KEYS[write.shelf]] ?? '', write.put);
      else this.#shelf(write.shelf).delete(write.delete);
    }
    return Promise.resolve();
  }

  change<T extends object>(shelf: Shelf, key: IDBValidKey, change: (value: T) => T): Promise<void> {
    const value = this.#shelf(shelf).get(key) as T | undefined;
    if (value !== undefined) this.#shelf(shelf).set(key, change(value));
    return Promise.resolve();
  }

  clear(): Promise<void> {
    for (const values of this.#shelves.values()) values.clear();
    return Promise.resolve();
  }

  close(): void {}

  #shelf(shelf: Shelf): Map<IDBValidKey, object> {
    return this.#shelves.get(shelf) ?? new Map<IDBValidKey, object>();
  }
}
