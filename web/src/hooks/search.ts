import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { ApiError } from '../api/client';
import type { Conversation, Message } from '../api/types';
import { useStore } from '../store/context';
import { errorOf } from '../store/queries';
import { keys, type Store } from '../store/store';

const PAGE_SIZE = 30;
/** How long a pause in typing is. */
const PAUSE_MS = 250;
/** The API takes no longer text. */
const LONGEST = 100;
/** What no index finds may take several requests: so many in a row come without being asked for. */
const MOST_IN_A_ROW = 5;
const STALE_MS = 30_000;

export interface SearchHit {
  readonly message: Message;
  readonly conversation: Conversation | undefined;
}

export interface MessageSearch {
  /** Newest first; undefined until the first answer, and without a text. */
  readonly hits: readonly SearchHit[] | undefined;
  readonly isSearching: boolean;
  readonly error: ApiError | null;
  readonly hasMore: boolean;
  loadMore(): Promise<void>;
}

export interface MessageSearchParams {
  readonly q: string;
  readonly phoneNumberId?: string | null;
  readonly conversationId?: number | null;
}

/** Looks for a text in the messages of a conversation, a number, or all. */
export function useMessageSearch({ q, phoneNumberId = null, conversationId = null }: MessageSearchParams): MessageSearch {
  const store = useStore();
  const wanted = [...q.trim()].slice(0, LONGEST).join('');
  const text = usePaused(wanted);
  const params = { q: text, phoneNumberId, conversationId };
  const result = useInfiniteQuery({
    queryKey: keys.search(params),
    enabled: text !== '',
    queryFn: ({ pageParam, signal }) => searchPage(store, params, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    staleTime: STALE_MS,
  });
  const { data, fetchNextPage, hasNextPage } = result;
  const hits = useMemo(() => data?.pages.flatMap((page) => page.hits), [data]);
  const loadMore = useCallback(async () => {
    await fetchNextPage({ cancelRefetch: false });
  }, [fetchNextPage]);
  return {
    hits: wanted === '' ? undefined : hits,
    isSearching: wanted !== '' && (wanted !== text || result.isFetching),
    error: wanted === '' ? null : errorOf(result),
    hasMore: wanted !== '' && hasNextPage,
    loadMore,
  };
}

interface SearchPage {
  hits: SearchHit[];
  cursor: string | null;
}

async function searchPage(store: Store, params: { q: string; phoneNumberId: string | null; conversationId: number | null }, cursor: string | null, signal: AbortSignal): Promise<SearchPage> {
  const page: SearchPage = { hits: [], cursor };
  for (let asked = 0; page.hits.length === 0 && asked < MOST_IN_A_ROW && (asked === 0 || page.cursor !== null); asked += 1) {
    const query = {
      q: params.q,
      limit: PAGE_SIZE,
      ...(params.conversationId !== null && { conversation_id: params.conversationId }),
      ...(params.conversationId === null && params.phoneNumberId !== null && { phone_number_id: params.phoneNumberId }),
      ...(page.cursor !== null && { before: page.cursor }),
    };
    const reply = await store.client.get('/api/live-chat/messages', { query, signal });
    const conversations = new Map(reply.conversations?.map((conversation) => [conversation.id, conversation]));
    page.hits = reply.messages.map((message) => ({ message, conversation: conversations.get(message.conversation_id) }));
    page.cursor = reply.next_cursor ?? null;
  }
  return page;
}

/** The value once it has not changed for a moment; none at once. */
function usePaused(value: string): string {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), value === '' ? 0 : PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return paused;
}
