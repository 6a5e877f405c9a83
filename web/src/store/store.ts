/**
 * What one user's components share: the API, the changes that it tells, and everything loaded, in TanStack Query's cache, which is the only
 * store. Components read it by the hooks; nothing in here knows React.
 */
import { QueryClient } from '@tanstack/react-query';
import { ApiError, type Client } from '../api/client';
import type { Change, Conversation, Message, PhoneNumber } from '../api/types';
import { createLive, type Live, type LiveOptions, type Status } from '../core/live';
import { type ConversationList, foldConversation, foldIntoList, foldIntoThread, foldMessage, type ListParams, type ThreadData } from './fold';
import { Drafts } from './drafts';
import { Outbox } from './outbox';

/** Where things stand in the cache. */
export const keys = {
  phoneNumbers: () => ['phone-numbers'] as const,
  conversations: (params: ListParams) => ['conversations', params] as const,
  conversation: (id: number) => ['conversation', id] as const,
  thread: (id: number) => ['thread', id] as const,
  outbox: (conversationId: number) => ['outbox', conversationId] as const,
  draft: (conversationId: number) => ['draft', conversationId] as const,
  drafted: () => ['drafted'] as const,
  status: () => ['status'] as const,
  mediaLink: (messageId: string) => ['media', messageId] as const,
  templates: (phoneNumberId: string) => ['templates', phoneNumberId] as const,
  quickReplies: (conversationId: number | null) => ['quick-replies', conversationId] as const,
};

export interface StoreOptions extends LiveOptions {
  /** Somebody has to sign in again. */
  onSessionExpired?: () => void;
}

/** How long something stays in memory that nothing shows. */
const KEPT_MS = 10 * 60_000;

export class Store {
  readonly live: Live;
  readonly queries: QueryClient;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly #options: StoreOptions;
  #ready = deferred();
  /** What was told since the oldest request that is under way; each request remembers where it began. */
  #log: Change[] = [];
  #requests = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.live = createLive(options);
    this.queries = new QueryClient({
      defaultOptions: {
        queries: {
          // Changes keep it fresh, not time.
          staleTime: Number.POSITIVE_INFINITY,
          gcTime: KEPT_MS,
          refetchOnWindowFocus: false,
          refetchOnReconnect: false,
          structuralSharing: false,
          networkMode: 'always',
          retry: (_, error) => !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500,
          retryDelay: (failures, error) =>
            error instanceof ApiError && error.retryAfter !== undefined ? error.retryAfter * 1000 : Math.min(30_000, 1000 * 2 ** failures),
        },
      },
    });
    this.outbox = new Outbox(this);
    this.drafts = new Drafts(this);
  }

  get client(): Client {
    return this.live.client;
  }

  /** Begins; what it returns ends everything. */
  start(): () => void {
    const ends = [this.live.subscribe((event) => {
      if (event.type === 'changes') this.#take(event.changes);
      else if (event.type === 'reset') this.#reset();
      else if (event.type === 'status') this.#tellStatus(event.status);
    })];
    this.queries.mount();
    this.#tellStatus(this.live.status);
    this.live.start();
    ends.push(this.outbox.start(), this.drafts.start());
    return () => {
      for (const end of ends) end();
      this.live.stop();
      void this.queries.cancelQueries();
      this.queries.unmount();
      this.#ready = deferred();
    };
  }

  /**
   * Asks the API for something that changes too: `put` gets the answer into the cache, and what was told since the request began is put on
   * top, so that an older answer never takes the place of something newer.
   */
  async load<T>(ask: (client: Client, signal: AbortSignal) => Promise<T>, put: (answer: T) => void, signal?: AbortSignal): Promise<T> {
    await this.#ready.promise;
    const moment = this.live.now();
    const begun = this.#log.length;
    this.#requests += 1;
    try {
      const answer = await ask(this.client, signal ? AbortSignal.any([signal, moment.signal]) : moment.signal);
      put(answer);
      this.#fold(this.#log.slice(begun));
      return answer;
    } finally {
      this.#requests -= 1;
      if (this.#requests === 0) this.#log = [];
    }
  }

  /** A query function for something that changes too; the answer is `put` as part of the query's own data. */
  fetchLive<T, D>(key: readonly unknown[], ask: (client: Client, signal: AbortSignal) => Promise<T>, dataOf: (answer: T) => D) {
    return async ({ signal }: { signal: AbortSignal }): Promise<D> => {
      await this.load(ask, (answer) => this.queries.setQueryData(key, dataOf(answer)), signal);
      return this.queries.getQueryData(key) as D;
    };
  }

  async clear(): Promise<void> {}

  /** A conversation that an answer brought. */
  putConversation(conversation: Conversation): void {
    this.#eachList((list, params) => foldConversation(list, conversation, params, Date.now()));
    this.queries.setQueryData(keys.conversation(conversation.id), conversation);
  }

  /** A message that an answer brought. */
  putMessage(message: Message): void {
    this.#eachThread((thread, id) => foldMessage(thread, message, id));
    this.outbox.settle(message);
  }

  #take(changes: Change[]): void {
    if (this.#requests > 0) this.#log.push(...changes);
    this.#fold(changes);
  }

  #fold(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const now = Date.now();
    this.#eachList((list, params) => changes.reduce((list, change) => foldIntoList(list, change, params, now), list));
    this.#eachThread((thread, id) => changes.reduce((thread, change) => foldIntoThread(thread, change, id), thread));
    for (const { type, conversation, conversation_id: id, phone_number: number, message } of changes) {
      if (conversation) this.queries.setQueryData(keys.conversation(conversation.id), conversation);
      if (type === 'conversation.deleted' && id) this.queries.removeQueries({ queryKey: keys.conversation(id) });
      if (number) this.#putPhoneNumber(number);
      if (message) this.outbox.settle(message);
    }
  }

  #putPhoneNumber(number: PhoneNumber): void {
    this.queries.setQueryData<PhoneNumber[]>(keys.phoneNumbers(), (numbers) => {
      if (!numbers) return undefined;
      const at = numbers.findIndex((one) => one.phone_number_id === number.phone_number_id);
      return at < 0 ? [...numbers, number] : numbers.with(at, number);
    });
  }

  #eachList(change: (list: ConversationList, params: ListParams) => ConversationList): void {
    for (const [key, list] of this.queries.getQueriesData<ConversationList>({ queryKey: ['conversations'] })) {
      if (!list) continue;
      const next = change(list, key[1] as ListParams);
      if (next !== list) this.queries.setQueryData(key, next);
    }
  }

  #eachThread(change: (thread: ThreadData, id: number) => ThreadData): void {
    for (const [key, thread] of this.queries.getQueriesData<ThreadData>({ queryKey: ['thread'] })) {
      if (!thread) continue;
      const next = change(thread, key[1] as number);
      if (next !== thread) this.queries.setQueryData(key, next);
    }
  }

  #reset(): void {
    this.#log = [];
    this.#ready.resolve();
    this.queries.removeQueries({ type: 'inactive', predicate: ({ queryKey }) => ['conversations', 'conversation', 'thread'].includes(queryKey[0] as string) });
    void this.queries.invalidateQueries({ predicate: ({ queryKey }) => ['phone-numbers', 'conversations', 'conversation', 'thread'].includes(queryKey[0] as string) });
  }

  #tellStatus(status: Status): void {
    this.queries.setQueryData(keys.status(), status);
    if (status.state === 'session_expired') this.#options.onSessionExpired?.();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
