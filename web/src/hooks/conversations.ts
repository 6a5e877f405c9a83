import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ApiError } from '../api/client';
import type { Conversation } from '../api/types';
import { useStore } from '../store/context';
import { compareConversations, type ConversationList, type ListParams } from '../store/fold';
import { keys, type Store } from '../store/store';

const PAGE_SIZE = 50;

function query(params: ListParams, cursor: string | null) {
  return {
    limit: PAGE_SIZE,
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
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: store.fetchLive(
      key,
      (client, signal) => client.get('/api/live-chat/conversations', { query: query(params, null), signal }),
      (reply): ConversationList => ({ items: reply.conversations, nextCursor: reply.next_cursor ?? null }),
    ),
  });
  const loadMore = useCallback(() => loadMoreOf(store, params), [store, params]);
  return {
    conversations: data?.items,
    error: error as ApiError | null,
    hasMore: (data?.nextCursor ?? null) !== null,
    loadMore,
    reload: () => void refetch(),
  };
}

const loading = new WeakMap<Store, Set<string>>();

async function loadMoreOf(store: Store, params: ListParams): Promise<void> {
  const key = keys.conversations(params);
  const list = store.queries.getQueryData<ConversationList>(key);
  const under = loading.get(store) ?? new Set();
  loading.set(store, under);
  const name = JSON.stringify(key);
  if (!list?.nextCursor || under.has(name)) return;
  under.add(name);
  try {
    await store.load(
      (client, signal) => client.get('/api/live-chat/conversations', { query: query(params, list.nextCursor), signal }),
      (reply) =>
        store.queries.setQueryData<ConversationList>(key, (now) => {
          // A reload in between began anew.
          if (!now || now.nextCursor !== list.nextCursor) return now;
          const known = new Set(now.items.map(({ id }) => id));
          const items = [...now.items, ...reply.conversations.filter(({ id }) => !known.has(id))].sort(compareConversations(params.sort));
          return { items, nextCursor: reply.next_cursor ?? null };
        }),
    );
  } finally {
    under.delete(name);
  }
}

/** One conversation; undefined until it is loaded, null where there is none with this id. */
export function useConversation(id: number | null): Conversation | null | undefined {
  const store = useStore();
  const key = keys.conversation(id ?? 0);
  const { data, error } = useQuery({
    queryKey: key,
    enabled: id !== null,
    initialData: () => inLists(store, id),
    queryFn: store.fetchLive(
      key,
      (client, signal) => client.get('/api/live-chat/conversations/{id}', { path: { id: id ?? 0 }, signal }),
      (reply) => reply.conversation,
    ),
  });
  if (id === null) return null;
  return (error as ApiError | null)?.status === 404 ? null : data;
}

function inLists(store: Store, id: number | null): Conversation | undefined {
  for (const [, list] of store.queries.getQueriesData<ConversationList>({ queryKey: ['conversations'] })) {
    const found = list?.items.find((conversation) => conversation.id === id);
    if (found) return found;
  }
  return undefined;
}
