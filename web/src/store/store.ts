/**
 * What one user's components share: the API, the changes that it tells, and everything loaded, in TanStack Query's cache, which is the only
 * store. Components read it by the hooks; nothing in here knows React.
 */
import { hashKey, type QueryClient } from '@tanstack/react-query';
import { ApiError, type Client } from '../api/client';
import type { Change, Conversation, Message } from '../api/types';
import { backoff, type Clock, type Random, systemClock } from '../core/clock';
import { createLive, type Live, type LiveOptions, type Status } from '../core/live';
import { type Browser, thisBrowser } from '../core/tabs';
import { keepBounded } from './bounds';
import { Cache } from './cache';
import { deferred } from './deferred';
import { type Disk, diskName, openDisk } from './disk';
import { Drafts, EMPTY_DRAFT } from './drafts';
import { type ConversationList, foldConversation, foldIntoList, foldIntoThread, foldMessage, type ListParams, matches, type ThreadData } from './fold';
import { isLive, keys } from './keys';
import { Outbox } from './outbox';
import { Overlays } from './overlays';
import { PhoneNumbers } from './phone_numbers';
import type { Picture } from './picture';
import { newQueryClient } from './queries';
import { Successors, type Whose, whoseOf } from './successors';
import { Typing } from './typing';
import { putByRequest, type PutFile, upload } from './upload';

export { keys } from './keys';

export interface StoreOptions extends LiveOptions {
  /** Somebody has to sign in again. */
  onSessionExpired?: () => void;
  /** Where things are kept; the browser's unless given, the memory where it is null. */
  indexedDB?: IDBFactory | null;
  /** How files are sent. */
  putFile?: PutFile;
  /** What is shown until the disk is open, where it was read ahead. */
  picture?: Picture | null;
}

/** How often it is looked whether a window has begun or ended to close. */
const WINDOWS_MS = 30_000;

export class Store {
  readonly live: Live;
  readonly queries: QueryClient;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly typing: Typing;
  readonly phoneNumbers: PhoneNumbers;
  readonly successors = new Successors();
  readonly options: StoreOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** How this tab finds the others; null for one on its own. */
  readonly browser: Browser | null;
  /** Names what is this user's in this browser; null before it is known, and for a token that does not say whose it is. */
  name: string | null = null;
  readonly #cache: Cache;
  #disk = deferred<Disk>();
  #ready = deferred<void>();
  /** What was told since the oldest request that is under way; each request remembers where it began. */
  #log: Change[] = [];
  #requests = 0;
  /** What holds everything up to now, by its key's hash. All else is as old as it is, and loaded anew once it is shown. */
  readonly #fresh = new Set<string>();
  /** What queries were given already, on their way to be given it once more. */
  readonly #given = new WeakSet<object>();
  readonly #conversations = new Overlays<Conversation>();
  readonly #messages = new Overlays<Message>();

  constructor(options: StoreOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.browser = options.browser === undefined ? thisBrowser() : options.browser;
    this.live = createLive(options);
    this.queries = newQueryClient({
      isFresh: (hash) => this.#fresh.has(hash),
      // Between the end of its function and its writing, a query may have been told a change.
      isThere: (data) => typeof data === 'object' && data !== null && this.#given.has(data),
    });
    this.outbox = new Outbox(this);
    this.drafts = new Drafts(this);
    this.typing = new Typing(this);
    this.phoneNumbers = new PhoneNumbers(this.queries);
    this.#cache = new Cache(this);
    if (!options.picture) return;
    // Of somebody else than the token's user it is forgotten as soon as that is known.
    this.name = options.picture.name;
    for (const { queryKey, data } of options.picture.rows) this.queries.setQueryData(queryKey, data);
  }

  get client(): Client {
    return this.live.client;
  }

  /** What this user's pages keep, once it is known whose they are. */
  disk(): Promise<Disk> {
    return this.#disk.promise;
  }

  /** Uploads a file; gives its `media_id`. */
  upload(file: Blob, about: { name: string; kind: string }, onProgress?: (progress: number) => void, signal?: AbortSignal): Promise<string> {
    return upload(this.client, this.options.putFile ?? putByRequest, file, about, onProgress, signal);
  }

  /** Deletes all that is kept of this user in this browser, as it befits a sign-out. */
  async clear(): Promise<void> {
    this.outbox.clear();
    this.drafts.forget();
    this.#cache.forget(true);
    const disk = this.#disk.value;
    await disk?.clear();
    this.#fresh.clear();
    this.queries.removeQueries({ type: 'inactive' });
  }

  /** Begins; what it returns ends everything. */
  start(): () => void {
    const run = new AbortController();
    const ends = [
      () => run.abort(),
      this.live.subscribe((event) => {
        if (event.type === 'changes') this.#take(event.changes);
        else if (event.type === 'reset') this.#reset();
        else if (event.type === 'typing') this.typing.heard(event.conversationId);
        else this.#tellStatus(event.status);
      }),
      this.queries.getQueryCache().subscribe(({ type, query }) => {
        if (type === 'removed') this.#fresh.delete(query.queryHash);
      }),
      keepBounded(this.queries),
    ];
    this.queries.mount();
    this.#tellStatus(this.live.status);
    this.live.start();
    void this.#open(run.signal);
    ends.push(this.#cache.start(), this.outbox.start(), this.drafts.start(), this.#followWindows(), () => this.typing.stop());
    return () => {
      for (const end of ends) end();
      this.live.stop();
      if (this.#ready.isDone) this.#ready = deferred();
      this.#disk.value?.close();
      if (this.#disk.isDone) this.#disk = deferred();
      this.#fresh.clear();
      void this.queries.cancelQueries();
      this.queries.unmount();
    };
  }

  /** Finds out whose this is, and opens what is theirs. */
  async #open(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const user = await this.live.user(signal);
        const name = user === null ? null : diskName(this.options.apiUrl, user);
        const factory = this.options.indexedDB === undefined ? globalThis.indexedDB : this.options.indexedDB;
        const disk = await openDisk(name ?? '', name === null ? null : (factory ?? null), this.clock);
        if (signal.aborted) return disk.close();
        if (this.name !== name) this.#forget();
        this.name = name;
        return this.#disk.resolve(disk);
      } catch {
        await new Promise<void>((resolve) => this.clock.after(backoff(this.random, failures), resolve));
      }
    }
  }

  /** Another user begins: nothing of the last one is shown or sent. */
  #forget(): void {
    if (this.name === null) return;
    this.outbox.forget();
    this.drafts.forget();
    this.#cache.forget();
    this.#conversations.clear();
    this.#messages.clear();
    this.successors.clear();
    this.#fresh.clear();
    for (const query of this.queries.getQueryCache().findAll({ predicate: ({ queryKey }) => queryKey[0] !== 'status' })) query.reset();
  }

  /**
   * Asks the API for something that changes too: `put` gets the answer into the cache, and what was told since the request began is put on
   * top, so that an older answer never takes the place of something newer. A reset in between begins it anew.
   */
  async load<T>(ask: (client: Client, signal: AbortSignal) => Promise<T>, put: (answer: T) => void, signal?: AbortSignal): Promise<T> {
    for (;;) {
      await this.#ready.promise;
      signal?.throwIfAborted();
      const moment = this.live.now();
      const record = this.#record();
      try {
        const answer = await ask(this.client, signal ? AbortSignal.any([signal, moment.signal]) : moment.signal);
        signal?.throwIfAborted();
        if (moment.signal.aborted) continue;
        put(answer);
        this.#fold(record.since());
        return answer;
      } catch (error) {
        if (!moment.signal.aborted || signal?.aborted) throw error;
      } finally {
        record.end();
      }
    }
  }

  /** A query function for something that changes too; the answer is `put` as part of the query's own data. */
  fetchLive<T, D extends object>(key: readonly unknown[], ask: (client: Client, signal: AbortSignal) => Promise<T>, dataOf: (answer: T) => D) {
    return async ({ signal }: { signal: AbortSignal }): Promise<D> => {
      await this.load(ask, (answer) => this.putLive(key, dataOf(answer)), signal);
      const data = this.queries.getQueryData<D>(key);
      if (data === undefined) throw new ApiError(404, { code: 'not_found', message: 'It was deleted meanwhile' });
      this.#given.add(data);
      return data;
    };
  }

  /** For `put` of [`load`]: all of what stands under a key, from which on changes keep it fresh. */
  putLive<D extends object>(key: readonly unknown[], data: D): void {
    this.#fresh.add(hashKey(key));
    this.queries.setQueryData(key, data);
  }

  /**
   * Does something that the server answers with the thing as it is then. `patch` shows it at once; a failure takes that away, and rejects.
   * Where a change was told since, that is newer than the answer.
   */
  async changeConversation(id: number, patch: (conversation: Conversation) => Conversation, ask: (client: Client) => Promise<Conversation>): Promise<void> {
    const before = this.conversation(id);
    const undoUnread = before ? this.phoneNumbers.addUnread(before.phone_number_id, patch(before).unread_count - before.unread_count) : null;
    if (before) this.#showConversation(this.#conversations.add(before, patch));
    const moment = this.live.now();
    const record = this.#record();
    const isUntold = () => !record.since().some((change) => isOf(change, id));
    try {
      const answer = await ask(this.client);
      if (!moment.signal.aborted && isUntold()) this.#conversations.shown(answer);
      const shown = this.#conversations.remove(id, patch) ?? (isUntold() ? answer : null);
      if (shown && !this.#isGone(record.since(), id)) this.#showConversation(shown);
    } catch (error) {
      undoUnread?.(record.since());
      const shown = this.#conversations.remove(id, patch);
      if (shown && !this.#isGone(record.since(), id)) this.#showConversation(shown, true);
      throw error;
    } finally {
      record.end();
    }
  }

  /** The same of a message; `settle` makes of it what the answer says. */
  async changeMessage<T>(message: Message, patch: (message: Message) => Message, ask: (client: Client) => Promise<T>, settle: (message: Message, answer: T) => Message): Promise<T> {
    this.#showMessage(this.#messages.add(this.#knownMessage(message), patch));
    const record = this.#record();
    const told = () => record.since().findLast((change) => change.message?.id === message.id || (change.type === 'message.deleted' && change.id === message.id));
    try {
      const answer = await ask(this.client);
      const base = this.#messages.remove(message.id, patch);
      if (base && told()?.type !== 'message.deleted') this.#showMessage(told() ? base : settle(base, answer));
      return answer;
    } catch (error) {
      const base = this.#messages.remove(message.id, patch);
      if (base && told()?.type !== 'message.deleted') this.#showMessage(base);
      throw error;
    } finally {
      record.end();
    }
  }

  /** The conversation as it is shown, where it is loaded. */
  conversation(id: number): Conversation | undefined {
    const known = this.queries.getQueryData<Conversation>(keys.conversation(id));
    if (known && this.isFresh(keys.conversation(id))) return known;
    for (const [, list] of this.queries.getQueriesData<ConversationList>({ queryKey: ['conversations'] })) {
      const found = list?.items.find((conversation) => conversation.id === id);
      if (found) return found;
    }
    return known;
  }

  /** The same of a message. */
  message(messageId: string): Message | undefined {
    for (const [, thread] of this.queries.getQueriesData<ThreadData>({ queryKey: ['thread'] })) {
      const found = thread?.messages.find(({ message_id }) => message_id === messageId);
      if (found) return found;
    }
    return undefined;
  }

  isFresh(key: readonly unknown[]): boolean {
    return this.#fresh.has(hashKey(key));
  }

  /** Takes over, as what `to` holds, something that was found in what `from` holds. */
  adopt(from: readonly unknown[], to: readonly unknown[]): void {
    if (this.isFresh(from)) this.#fresh.add(hashKey(to));
  }

  /** As it is to be shown, with what the agent did and the server has not answered yet. */
  shownConversation(conversation: Conversation): Conversation {
    return this.#conversations.shown(conversation);
  }

  shownMessage(message: Message): Message {
    return this.#messages.shown(message);
  }

  /** A message that an answer brought. */
  putMessage(message: Message): void {
    this.#showMessage(this.#messages.shown(message));
    this.outbox.settle(message);
  }

  /** A message that another tab was answered; what this one knows of it is no older. */
  putNewMessage(message: Message): void {
    const thread = this.queries.getQueryData<ThreadData>(keys.thread(message.conversation_id));
    if (!thread?.messages.some(({ id }) => id === message.id)) this.putMessage(message);
  }

  /** For a request that is not repeated: what it is answered is put below what was told since. */
  record(): { put: (message: Message) => void; end: () => void } {
    const { signal } = this.live.now();
    const { since, end } = this.#record();
    const put = (message: Message) => {
      if (signal.aborted) return;
      this.putMessage(message);
      this.#fold(since());
    };
    return { put, end };
  }

  /** Notes from now on what is told. */
  #record(): { since: () => readonly Change[]; end: () => void } {
    const log = this.#log;
    const begun = log.length;
    this.#requests += 1;
    return {
      since: () => log.slice(begun),
      end: () => {
        this.#requests -= 1;
        if (this.#requests === 0) this.#log = [];
      },
    };
  }

  #take(changes: readonly Change[]): void {
    if (this.#requests > 0) this.#log.push(...changes);
    const gone = changes.flatMap(({ type, conversation_id: id }) => (type === 'conversation.deleted' && id ? [{ id, known: this.conversation(id) }] : []));
    this.#fold(changes);
    for (const { id, known } of gone) void this.#followGone(id, known ? whoseOf(known) : null);
    for (const { type, message } of changes) {
      if (message) this.outbox.settle(message);
      if (type === 'message.created' && message?.sender === 'user') this.typing.ended(message.conversation_id);
    }
  }

  #fold(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const now = this.clock.now();
    const shown = changes.map((change) => this.#shownChange(change));
    this.#eachList((list, params) => shown.reduce((list, change) => foldIntoList(list, change, params, now), list));
    this.#eachThread((thread, id) => {
      const next = shown.reduce((thread, change) => foldIntoThread(thread, change, id), thread);
      if (next !== thread) this.#noteMoved(thread, id, shown);
      return next;
    });
    for (const { type, conversation, conversation_id: id, phone_number: number } of shown) {
      if (conversation) this.#putConversation(conversation);
      if (type === 'conversation.deleted' && id) {
        // Its customer may have been erased.
        for (const queryKey of [keys.conversation(id), keys.thread(id)]) this.queries.removeQueries({ queryKey, exact: true, type: 'inactive' });
        this.#cache.drop(keys.thread(id));
        // What shows it has to be told that there is none.
        void this.queries.resetQueries({ queryKey: keys.conversation(id), exact: true });
      }
      if (number) this.phoneNumbers.put(number);
    }
  }

  /** What was of this conversation and is now another's tells where it went. */
  #noteMoved(thread: ThreadData, conversationId: number, changes: readonly Change[]): void {
    for (const { message } of changes) {
      if (message?.conversation_id && message.conversation_id !== conversationId && thread.messages.some(({ id }) => id === message.id)) this.successors.note(conversationId, message.conversation_id);
    }
  }

  /** Finds where a conversation went that is gone, and takes what was not sent there; undefined where it is nowhere. Rejects where the API does not answer. */
  async follow(id: number, whose: Whose | null): Promise<number | undefined> {
    const to = await this.successors.find(this.client, id, whose ?? this.outbox.whose(id) ?? this.drafts.whose(id));
    if (to === undefined) return undefined;
    this.outbox.move(id, to);
    this.drafts.move(id, to);
    this.queries.setQueryData(keys.successor(id), to);
    return to;
  }

  async #followGone(id: number, whose: Whose | null): Promise<void> {
    const isWanted = () => this.outbox.of(id).length > 0 || this.drafts.get(id) !== EMPTY_DRAFT || this.queries.getQueryCache().findAll({ queryKey: keys.thread(id), type: 'active' }).length > 0;
    const { signal } = this.live.now();
    for (let failures = 0; isWanted() && !signal.aborted; failures += 1) {
      try {
        await this.follow(id, whose);
        return;
      } catch {
        await new Promise<void>((resolve) => this.clock.after(backoff(this.random, failures), resolve));
      }
    }
  }

  #shownChange(change: Change): Change {
    if (change.conversation) return { ...change, conversation: this.#conversations.shown(change.conversation) };
    if (change.message) return { ...change, message: this.#messages.shown(change.message) };
    return change;
  }

  #showConversation(conversation: Conversation, isUndone = false): void {
    this.#eachList((list, params) => foldConversation(list, conversation, params, this.clock.now()), true);
    this.#putConversation(conversation);
    if (!isUndone) return;
    // Only the server can put it back into a search that it fell out of.
    const searches = { predicate: ({ queryKey: [kind, params] }: { queryKey: readonly unknown[] }) => kind === 'conversations' && (params as ListParams).q !== '' };
    for (const { queryHash } of this.queries.getQueryCache().findAll(searches)) this.#fresh.delete(queryHash);
    void this.queries.refetchQueries({ ...searches, type: 'active' });
  }

  #putConversation(conversation: Conversation): void {
    this.queries.setQueryData<Conversation>(keys.conversation(conversation.id), (known) => known && conversation);
  }

  #showMessage(message: Message): void {
    this.#eachThread((thread, id) => foldMessage(thread, message, id), true);
  }

  #knownMessage(message: Message): Message {
    const thread = this.queries.getQueryData<ThreadData>(keys.thread(message.conversation_id));
    return thread?.messages.find(({ id }) => id === message.id) ?? message;
  }

  #isGone(changes: readonly Change[], id: number): boolean {
    return changes.findLast((change) => isOf(change, id))?.type === 'conversation.deleted';
  }

  /** Changes are for what holds everything before them; what the agent does is shown everywhere. */
  #eachList(change: (list: ConversationList, params: ListParams) => ConversationList, always = false): void {
    this.#each<ConversationList>('conversations', (list, [, params]) => change(list, params as ListParams), always);
  }

  #eachThread(change: (thread: ThreadData, id: number) => ThreadData, always = false): void {
    this.#each<ThreadData>('thread', (thread, [, id]) => change(thread, id as number), always);
  }

  #each<D>(kind: string, change: (data: D, key: readonly unknown[]) => D, always: boolean): void {
    for (const query of this.queries.getQueryCache().findAll({ queryKey: [kind] })) {
      const data = query.state.data as D | undefined;
      if (data === undefined || !(always || this.#fresh.has(query.queryHash))) continue;
      const next = change(data, query.queryKey);
      if (next !== data) query.setData(next, { manual: true });
    }
  }

  #reset(): void {
    this.#log = [];
    this.#fresh.clear();
    this.#ready.resolve();
    void this.queries.refetchQueries({ type: 'active', predicate: ({ queryKey }) => isLive(queryKey) });
  }

  /** Windows begin and end to close without a change. */
  #followWindows(): () => void {
    const isClosing = (params: ListParams) => params.filter === 'window_closing';
    let forget = () => {};
    const look = () => {
      forget = this.clock.after(WINDOWS_MS, look);
      const now = this.clock.now();
      this.#eachList((list, params) => {
        if (!isClosing(params) || list.items.every((conversation) => matches(conversation, params, now))) return list;
        return { ...list, items: list.items.filter((conversation) => matches(conversation, params, now)) };
      }, true);
      void this.queries.refetchQueries({ type: 'active', predicate: ({ queryKey: [kind, params] }) => kind === 'conversations' && isClosing(params as ListParams) });
    };
    forget = this.clock.after(WINDOWS_MS, look);
    return () => forget();
  }

  #tellStatus(status: Status): void {
    const before = this.queries.getQueryData<Status>(keys.status());
    this.queries.setQueryData(keys.status(), status);
    if (status.state === before?.state) return;
    if (status.state === 'session_expired') this.options.onSessionExpired?.();
    if (status.state === 'live') this.#wake();
    this.outbox.wake(status.state);
  }

  /** What waits before it tries again need not wait any longer. */
  #wake(): void {
    const waiting = this.queries.getQueryCache().findAll({ fetchStatus: 'fetching', predicate: ({ state }) => state.fetchFailureCount > 0 });
    for (const query of waiting) {
      void query.cancel({ silent: true });
      if (query.isActive()) void query.fetch().catch(() => {});
    }
  }
}

/** Whether a change is about this conversation itself. */
function isOf({ type, conversation, conversation_id: conversationId }: Change, id: number): boolean {
  return conversation?.id === id || (type === 'conversation.deleted' && conversationId === id);
}
