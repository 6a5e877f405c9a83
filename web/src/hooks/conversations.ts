import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import type { ApiError, Client } from '../api/client';
import type { Conversation } from '../api/types';
import { useStore } from '../store/context';
import type { ConversationList, ListParams } from '../store/fold';
import { errorOf } from '../store/queries';
import { keys, type Store } from '../store/store';

const PAGE_SIZE = 50;
/** The API's largest page. */
const LARGEST_PAGE = 100;
/** How many rows a list that is loaded anew has again, at the most. */
const MOST_AGAIN = 500;
/** With fewer rows than these more are loaded, though nobody scrolls. */
const FEWEST = 15;

function query(params: ListParams, cursor: string | null, limit: number) {
  return {
    limit,
    status: params.status,
    sort: params.sort,
    ...(params.phoneNumberId !== null && { phone_number_id: params.phoneNumberId }),
    ...(params.filter !== null && { filter: params.filter }),
    ...(params.q !== '' && { q: params.q }),
    ...(cursor !== null && { cursor }),
  };
}

export interface Conversations {
  /** undefined until the first answer. */
  readonly conversations: readonly Conversation[] | undefined;
  readonly error: ApiError | null;
  readonly hasMore: boolean;
  /** Loads what follows; does nothing while that is under way. */
  loadMore(): Promise<void>;
  reload(): void;
}

/** A list of conversations that stays as the server has it. */
export function useConversations(params: ListParams): Conversations {
  const store = useStore();
  const key = keys.conversations(params);
  const result = useQuery({
    queryKey: key,
    queryFn: store.fetchLive(
      key,
      (client, signal) => loadList(client, params, signal, store.queries.getQueryData<ConversationList>(key)?.items.length ?? 0),
      (list) => ({ ...list, items: list.items.map((conversation) => store.shownConversation(conversation)) }),
    ),
  });
  const { data, refetch } = result;
  const { phoneNumberId, status, filter, sort, q } = params;
  const loadMore = useCallback(() => loadMoreOf(store, { phoneNumberId, status, filter, sort, q }), [store, phoneNumberId, status, filter, sort, q]);
  const hasMore = (data?.nextCursor ?? null) !== null;
  // Rows that went, such as those that were archived, make room for others.
  const isShort = hasMore && (data?.items.length ?? 0) < FEWEST;
  useEffect(() => {
    if (isShort) void loadMore().catch(() => {});
  }, [isShort, loadMore]);
  const reload = useCallback(() => void refetch(), [refetch]);
  return { conversations: data?.items, error: errorOf(result), hasMore, loadMore, reload };
}

/** The first page; of a list that was longer as many pages as it had. */
async function loadList(client: Client, params: ListParams, signal: AbortSignal, length: number): Promise<ConversationList> {
  const wanted = Math.min(length, MOST_AGAIN);
  const limit = wanted > PAGE_SIZE ? LARGEST_PAGE : PAGE_SIZE;
  let list: ConversationList = { items: [], nextCursor: null, end: null };
  do {
    const reply = await client.get('/api/live-chat/conversations', { query: query(params, list.nextCursor, limit), signal });
    list = append(list, reply.conversations, reply.next_cursor ?? null);
  } while (list.nextCursor !== null && list.items.length < wanted);
  return list;
}

/** A page that follows. What is known already has moved since, and is where it belongs. */
function append(list: ConversationList, page: readonly Conversation[], nextCursor: string | null): ConversationList {
  const known = new Set(list.items.map(({ id }) => id));
  return { items: [...list.items, ...page.filter(({ id }) => !known.has(id))], nextCursor, end: page.at(-1) ?? list.end };
}

const loading = new WeakMap<Store, Map<string, Promise<void>>>();

function loadMoreOf(store: Store, params: ListParams): Promise<void> {
  const key = keys.conversations(params);
  const cursor = store.queries.getQueryData<ConversationList>(key)?.nextCursor;
  // What is not fresh is being loaded anew.
  if (!cursor || !store.isFresh(key)) return Promise.resolve();
  const under = loading.get(store) ?? new Map<string, Promise<void>>();
  loading.set(store, under);
  const name = JSON.stringify(key);
  const known = under.get(name);
  if (known) return known;
  const work = store
    .load(
      (client, signal) => client.get('/api/live-chat/conversations', { query: query(params, cursor, PAGE_SIZE), signal }),
      (reply) =>
        store.queries.setQueryData<ConversationList>(key, (now) => {
          // A reload in between began anew.
          if (!now || now.nextCursor !== cursor) return now;
          const page = reply.conversations.map((conversation) => store.shownConversation(conversation));
          return append(now, page, reply.next_cursor ?? null);
        }),
    )
    .then(() => {})
    .finally(() => under.delete(name));
  under.set(name, work);
  return work;
}

/** One conversation; undefined until it is loaded, null where there is none with this id. */
export function useConversation(id: number | null): Conversation | null | undefined {
  const store = useStore();
  const key = keys.conversation(id ?? 0);
  const { data, error } = useQuery({
    queryKey: key,
    enabled: id !== null,
    initialData: () => (id === null ? undefined : inLists(store, id)),
    queryFn: store.fetchLive(
      key,
      (client, signal) => client.get('/api/live-chat/conversations/{id}', { path: { id: id ?? 0 }, signal }),
      (reply) => store.shownConversation(reply.conversation),
    ),
  });
  if (id === null) return null;
  return (error as ApiError | null)?.status === 404 ? null : data;
}

/** The conversation that this one became part of; null while it is not known to be gone. */
export function useSuccessor(id: number): number | null {
  const store = useStore();
  const successor = () => store.successors.of(id) ?? null;
  const { data } = useQuery({ queryKey: keys.successor(id), queryFn: successor, initialData: null as number | null, enabled: false });
  return data;
}

function inLists(store: Store, id: number): Conversation | undefined {
  for (const [key, list] of store.queries.getQueriesData<ConversationList>({ queryKey: ['conversations'] })) {
    const found = list?.items.find((conversation) => conversation.id === id);
    if (!found) continue;
    store.adopt(key, keys.conversation(id));
    return found;
  }
  return undefined;
}
