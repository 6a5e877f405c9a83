import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ApiError, RequestOptions } from '../api/client';
import type { QuickReply } from '../api/types';
import { useStore } from '../store/context';
import { errorOf } from '../store/queries';
import { keys } from '../store/store';

/** Another page may have changed them: no change tells. */
const STALE_MS = 60_000;

export type NewQuickReply = RequestOptions<'/api/live-chat/quick-replies', 'post'>['body'];
export type QuickReplyUpdate = NonNullable<RequestOptions<'/api/live-chat/quick-replies/{id}', 'patch'>['body']>;

export interface QuickReplies {
  /** By shortcut; undefined until the first answer. */
  readonly quickReplies: readonly QuickReply[] | undefined;
  readonly error: ApiError | null;
}

/** The agent's quick replies, with a conversation as they read there. */
export function useQuickReplies(conversationId: number | null): QuickReplies {
  const store = useStore();
  const result = useQuery({
    queryKey: keys.quickReplies(conversationId),
    queryFn: async ({ signal }) => {
      const query = conversationId === null ? {} : { conversation_id: conversationId };
      return (await store.client.get('/api/live-chat/quick-replies', { query, signal })).quick_replies;
    },
    staleTime: STALE_MS,
  });
  return { quickReplies: result.data, error: errorOf(result) };
}

export interface QuickReplyActions {
  create(body: NewQuickReply): Promise<QuickReply>;
  update(id: number, body: QuickReplyUpdate): Promise<QuickReply>;
  remove(id: number): Promise<void>;
}

/** Changes quick replies; each resolves once the lists that are shown have it, and rejects with an `ApiError`. */
export function useQuickReplyActions(): QuickReplyActions {
  const store = useStore();
  return useMemo(() => {
    const reload = () => store.queries.invalidateQueries({ queryKey: ['quick-replies'] });
    return {
      async create(body) {
        const { quick_reply: created } = await store.client.post('/api/live-chat/quick-replies', { body });
        await reload();
        return created;
      },
      async update(id, body) {
        const { quick_reply: updated } = await store.client.patch('/api/live-chat/quick-replies/{id}', { path: { id }, body });
        await reload();
        return updated;
      },
      async remove(id) {
        await store.client.delete('/api/live-chat/quick-replies/{id}', { path: { id } });
        await reload();
      },
    };
  }, [store]);
}
