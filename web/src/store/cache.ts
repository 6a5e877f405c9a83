/**
 * What was shown last, on disk, so that a page shows something before the network answers: the beginnings of lists, the phone numbers, and the
 * ends of threads. It is no more than a picture: all of it is loaded anew once it is shown.
 */
import { hashKey, type Query, type QueryKey } from '@tanstack/react-query';
import { thisPage } from '../core/page';
import type { Disk, Write } from './disk';
import type { ConversationList, ListParams, ThreadData } from './fold';
import { FORM, isUsable, type Row } from './picture';
import type { Store } from './store';

const PAUSE_MS = 2_000;
const SIZE = 50;
/** How many of each kind stay. */
const MOST: Record<string, number> = { 'phone-numbers': 1, conversations: 4, thread: 20 };

export class Cache {
  readonly #store: Store;
  readonly #dirty = new Map<string, Query>();
  /** What is on disk, by kind, the one that was written last at the end. */
  readonly #written = new Map<string, Set<string>>();
  #disk: Disk | null = null;
  #forgetWriting: (() => void) | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  start(): () => void {
    const run = new AbortController();
    const page = this.#store.options.page ?? thisPage();
    const forgetPage = page.listen((event) => {
      if (event === 'freeze' || (event === 'visibility' && !page.visible)) this.#write();
    });
    const forgetQueries = this.#store.queries.getQueryCache().subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'success' && isKept(event.query)) this.#note(event.query);
    });
    void this.#open(run.signal);
    return () => {
      run.abort();
      forgetPage();
      forgetQueries();
      this.#write();
      this.#disk = null;
    };
  }

  /** Forgets what is not written yet. With `forGood` nothing more is kept until the next start: whoever signs out is still shown things for a moment. */
  forget(forGood = false): void {
    if (forGood) this.#disk = null;
    this.#dirty.clear();
    this.#written.clear();
    this.#forgetWriting?.();
  }

  /** Forgets one that nobody may read any more. */
  drop(queryKey: QueryKey): void {
    const key = hashKey(queryKey);
    this.#dirty.delete(key);
    this.#written.get(String(queryKey[0]))?.delete(key);
    this.#disk?.write([{ shelf: 'cache', delete: key }]).catch(() => {});
  }

  async #open(signal: AbortSignal): Promise<void> {
    const disk = await this.#store.disk();
    const rows = await disk.all<Row>('cache').catch(() => []);
    if (signal.aborted) return;
    this.#disk = disk;
    const now = this.#store.clock.now();
    for (const { key, queryKey, data } of rows.filter((row) => isUsable(row, now)).sort((a, b) => a.at - b.at)) {
      this.#rank(String(queryKey[0]), key);
      if (this.#store.queries.getQueryData(queryKey) === undefined) this.#store.queries.setQueryData(queryKey, data);
    }
    await disk.write(rows.filter((row) => !isUsable(row, now)).map(({ key }) => ({ shelf: 'cache', delete: key }))).catch(() => {});
  }

  #note(query: Query): void {
    // What comes from disk is not fresh.
    if (!this.#store.isFresh(query.queryKey)) return;
    this.#dirty.set(query.queryHash, query);
    this.#forgetWriting ??= this.#store.clock.after(PAUSE_MS, () => this.#write());
  }

  #write(): void {
    this.#forgetWriting?.();
    this.#forgetWriting = null;
    const disk = this.#disk;
    if (!disk) return;
    const at = this.#store.clock.now();
    const writes: Write[] = [];
    for (const [key, { queryKey, state }] of this.#dirty) {
      const data = pictureOf(queryKey, state.data);
      if (data === undefined) continue;
      writes.push({ shelf: 'cache', put: { key, queryKey, data, at, form: FORM } satisfies Row });
      for (const old of this.#rank(String(queryKey[0]), key)) writes.push({ shelf: 'cache', delete: old });
    }
    this.#dirty.clear();
    // A disk that is full has no room for pictures.
    disk.write(writes).catch(() => {});
  }

  /** Notes that this one is the newest of its kind; gives those that are too many then. */
  #rank(kind: string, key: string): string[] {
    const known = this.#written.get(kind) ?? new Set();
    this.#written.set(kind, known);
    known.delete(key);
    known.add(key);
    const tooMany = [...known].slice(0, Math.max(0, known.size - (MOST[kind] ?? 0)));
    for (const one of tooMany) known.delete(one);
    return tooMany;
  }
}

/** Searches are gone with their words. */
function isKept({ queryKey: [kind, params], state }: Query): boolean {
  return String(kind) in MOST && state.data !== undefined && (kind !== 'conversations' || (params as ListParams).q === '');
}

/** As much of it as is shown first. */
function pictureOf([kind]: readonly unknown[], data: unknown): unknown {
  if (kind === 'conversations') {
    const list = data as ConversationList;
    return { ...list, items: list.items.slice(0, SIZE) } satisfies ConversationList;
  }
  if (kind !== 'thread') return data;
  const thread = data as ThreadData;
  // The past is not what a page opens with.
  if (thread.newerCursor !== null) return undefined;
  const messages = thread.messages.slice(-SIZE);
  return { ...thread, messages, olderCursor: messages.length < thread.messages.length ? String(messages[0]?.id) : thread.olderCursor, oldest: messages[0] ?? null } satisfies ThreadData;
}
