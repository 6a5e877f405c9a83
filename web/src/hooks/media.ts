import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ApiError } from '../api/client';
import type { Message } from '../api/types';
import { useStore } from '../store/context';
import { errorOf } from '../store/queries';
import { keys, type Store } from '../store/store';

/** A link is asked for anew this long before it ends. */
const SPARE_MS = 60_000;
/** A file that cannot be shown is no reason to ask more often than this. */
const AGAIN_MS = 5_000;

export interface MediaLink {
  readonly url: string | undefined;
  readonly error: ApiError | null;
  /** The link does not work any more. */
  refresh(): void;
}

type Asked = Pick<Message, 'id' | 'message_id' | 'media'>;

function linkQuery(store: Store, message: Asked | null) {
  const id = message ? (message.message_id ?? String(message.id)) : '';
  // While the file is not there, a link cannot be had; once it is, it is another question.
  const isThere = !message?.media || message.media.state === 'stored';
  return queryOptions({
    queryKey: [...keys.mediaLink(id), isThere] as const,
    queryFn: ({ signal }) => store.client.get('/api/live-chat/media/{message_id}', { path: { message_id: id }, signal }),
    staleTime: ({ state }) => (state.data ? Math.max(0, Date.parse(state.data.expires_at) - SPARE_MS - state.dataUpdatedAt) : 0),
  });
}

/** The same for once; `isAnother`: the one that is known does not work. Rejects with an `ApiError`, at once. */
export async function mediaLink(store: Store, message: Asked, isAnother = false): Promise<string> {
  const query = linkQuery(store, message);
  return (await store.queries.fetchQuery({ ...query, ...(isAnother && { staleTime: 0 }), retry: false })).url;
}

/** A link to the file of a message, which works until it ends; null: none is wanted now. */
export function useMediaLink(message: Message | null): MediaLink {
  const store = useStore();
  const result = useQuery({ ...linkQuery(store, message), enabled: message !== null });
  const { data, dataUpdatedAt, refetch } = result;
  const refresh = useCallback(() => {
    if (Date.now() - dataUpdatedAt > AGAIN_MS) void refetch();
  }, [dataUpdatedAt, refetch]);
  return { url: message ? data?.url : undefined, error: errorOf(result), refresh };
}
