import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import type { ApiError } from '../api/client';
import type { Message } from '../api/types';
import { useStore } from '../store/context';
import { compareMessages, type ThreadData } from '../store/fold';
import type { OutboxItem } from '../store/outbox';
import { keys, type Store } from '../store/store';

const PAGE_SIZE = 50;

export interface Thread {
  /** Oldest first; undefined until the first answer. */
  readonly messages: readonly Message[] | undefined;
  /** What is not sent yet, in the order of sending: it stands below the messages, where these reach the present. */
  readonly outbox: readonly OutboxItem[];
  readonly error: ApiError | null;
  readonly hasOlder: boolean;
  /** Whether what is shown ends before the present. */
  readonly hasNewer: boolean;
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  /** Shows the stretch around a message, by its `id`, `message_id` or wamid. */
  jumpTo(message: number | string): Promise<void>;
  jumpToPresent(): Promise<void>;
}

const NOTHING: readonly OutboxItem[] = [];

/** The messages of a conversation, as the server has them. */
export function useThread(conversationId: number): Thread {
  const store = useStore();
  const key = keys.thread(conversationId);
  const { data, error } = useQuery({
    queryKey: key,
    queryFn: store.fetchLive(
      key,
      (client, signal) => client.get('/api/live-chat/messages', { query: { conversation_id: conversationId, limit: PAGE_SIZE }, signal }),
      toThread,
    ),
  });
  const { data: outbox = NOTHING } = useQuery<readonly OutboxItem[]>({
    queryKey: keys.outbox(conversationId),
    queryFn: () => NOTHING,
    enabled: false,
  });
  const loadOlder = useCallback(() => extend(store, conversationId, 'older'), [store, conversationId]);
  const loadNewer = useCallback(() => extend(store, conversationId, 'newer'), [store, conversationId]);
  const jumpTo = useCallback((message: number | string) => show(store, conversationId, message), [store, conversationId]);
  const jumpToPresent = useCallback(() => show(store, conversationId, null), [store, conversationId]);
  const messages = data?.messages;
  return useMemo(
    () => ({
      messages,
      outbox: messages ? outbox.filter(({ messageId }) => !messages.some((message) => message.message_id === messageId)) : outbox,
      error: error as ApiError | null,
      hasOlder: (data?.olderCursor ?? null) !== null,
      hasNewer: (data?.newerCursor ?? null) !== null,
      loadOlder,
      loadNewer,
      jumpTo,
      jumpToPresent,
    }),
    [messages, outbox, error, data, loadOlder, loadNewer, jumpTo, jumpToPresent],
  );
}

interface Page {
  messages: Message[];
  next_cursor?: string | null;
  prev_cursor?: string | null;
}

/** A page of the API comes newest first. */
function toThread(page: Page): ThreadData {
  return { messages: page.messages.toReversed(), olderCursor: page.next_cursor ?? null, newerCursor: page.prev_cursor ?? null };
}

const extending = new WeakMap<Store, Map<string, Promise<void>>>();

function extend(store: Store, conversationId: number, direction: 'older' | 'newer'): Promise<void> {
  const key = keys.thread(conversationId);
  const thread = store.queries.getQueryData<ThreadData>(key);
  const cursor = direction === 'older' ? thread?.olderCursor : thread?.newerCursor;
  if (!cursor) return Promise.resolve();
  const under = extending.get(store) ?? new Map<string, Promise<void>>();
  extending.set(store, under);
  const name = `${conversationId} ${direction}`;
  const known = under.get(name);
  if (known) return known;
  const query = { conversation_id: conversationId, limit: PAGE_SIZE, [direction === 'older' ? 'before' : 'after']: cursor };
  const work = store
    .load(
      (client, signal) => client.get('/api/live-chat/messages', { query, signal }),
      (page) =>
        store.queries.setQueryData<ThreadData>(key, (now) => {
          // A jump or a reload in between shows another stretch.
          if (!now || (direction === 'older' ? now.olderCursor : now.newerCursor) !== cursor) return now;
          const ids = new Set(now.messages.map(({ id }) => id));
          const messages = [...now.messages, ...page.messages.filter(({ id }) => !ids.has(id))].sort(compareMessages);
          const more = toThread(page);
          return direction === 'older' ? { ...now, messages, olderCursor: more.olderCursor } : { ...now, messages, newerCursor: more.newerCursor };
        }),
    )
    .then(() => {})
    .finally(() => under.delete(name));
  under.set(name, work);
  return work;
}

async function show(store: Store, conversationId: number, around: number | string | null): Promise<void> {
  const query = { conversation_id: conversationId, limit: PAGE_SIZE, ...(around !== null && { around: String(around) }) };
  await store.load(
    (client, signal) => client.get('/api/live-chat/messages', { query, signal }),
    (page) => store.queries.setQueryData(keys.thread(conversationId), toThread(page)),
  );
}
