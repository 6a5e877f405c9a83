import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import type { ApiError, Client } from '../api/client';
import type { Message } from '../api/types';
import { cutWhileOpen } from '../store/bounds';
import { useStore } from '../store/context';
import type { ThreadData } from '../store/fold';
import type { OutboxItem } from '../store/outbox';
import { errorOf } from '../store/queries';
import { keys, type Store } from '../store/store';

const PAGE_SIZE = 50;
/** The API's largest page. */
const LARGEST_PAGE = 100;
/** How many messages a thread that is loaded anew has again, at the most. */
const MOST_AGAIN = 500;

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
  const result = useQuery({
    queryKey: key,
    queryFn: store.fetchLive(
      key,
      (client, signal) => loadThread(client, conversationId, signal, store.queries.getQueryData<ThreadData>(key)),
      (thread) => ({ ...thread, messages: thread.messages.map((message) => store.shownMessage(message)) }),
    ),
  });
  const { data } = result;
  const error = errorOf(result);
  const { data: outbox = NOTHING } = useQuery<readonly OutboxItem[]>({
    queryKey: keys.outbox(conversationId),
    queryFn: () => store.outbox.of(conversationId),
    initialData: () => store.outbox.of(conversationId),
    enabled: false,
  });
  const loadOlder = useCallback(() => extend(store, conversationId, 'older'), [store, conversationId]);
  const loadNewer = useCallback(() => extend(store, conversationId, 'newer'), [store, conversationId]);
  const jumpTo = useCallback((message: number | string) => show(store, conversationId, message), [store, conversationId]);
  const jumpToPresent = useCallback(() => show(store, conversationId, null), [store, conversationId]);
  const messages = data?.messages;
  const hasOlder = (data?.olderCursor ?? null) !== null;
  const hasNewer = (data?.newerCursor ?? null) !== null;
  const unsent = useMemo(() => {
    if (!messages || outbox.length === 0) return outbox;
    const known = new Set(messages.map(({ message_id: id }) => id));
    return outbox.filter(({ messageId }) => !known.has(messageId));
  }, [messages, outbox]);
  return useMemo(
    () => ({ messages, outbox: unsent, error, hasOlder, hasNewer, loadOlder, loadNewer, jumpTo, jumpToPresent }),
    [messages, unsent, error, hasOlder, hasNewer, loadOlder, loadNewer, jumpTo, jumpToPresent],
  );
}

interface Page {
  messages: Message[];
  next_cursor?: string | null;
  prev_cursor?: string | null;
}

/** A page of the API comes newest first. */
function toThread(page: Page): ThreadData {
  const messages = page.messages.toReversed();
  return { messages, olderCursor: page.next_cursor ?? null, newerCursor: page.prev_cursor ?? null, oldest: messages[0] ?? null, newest: messages.at(-1) ?? null };
}

function join(older: ThreadData, newer: ThreadData): ThreadData {
  return { messages: [...older.messages, ...newer.messages], olderCursor: older.olderCursor, newerCursor: newer.newerCursor, oldest: older.oldest ?? newer.oldest, newest: newer.newest ?? older.newest };
}

/** What is not known of these: what is has moved since, and is where it belongs. */
function without(thread: ThreadData, { messages: known }: ThreadData): ThreadData {
  const ids = new Set(known.map(({ id }) => id));
  return { ...thread, messages: thread.messages.filter(({ id }) => !ids.has(id)) };
}

/** The newest page; of a thread that is shown already the same stretch, so that nothing moves. */
async function loadThread(client: Client, conversationId: number, signal: AbortSignal, shown: ThreadData | undefined): Promise<ThreadData> {
  const wanted = Math.min(shown?.messages.length ?? 0, MOST_AGAIN);
  const limit = wanted > PAGE_SIZE ? LARGEST_PAGE : PAGE_SIZE;
  const ask = (where: { around?: string; before?: string }) => client.get('/api/live-chat/messages', { query: { conversation_id: conversationId, limit, ...where }, signal });
  const middle = shown?.messages[shown.messages.length >> 1];
  if (shown?.newerCursor && middle) {
    const page = await ask({ around: String(middle.id) });
    // It may have moved to another conversation.
    if (page.messages.length > 0) return toThread(page);
  }
  let thread = toThread(await ask({}));
  while (thread.olderCursor !== null && thread.messages.length < wanted) {
    thread = join(without(toThread(await ask({ before: thread.olderCursor })), thread), thread);
  }
  return thread;
}

const extending = new WeakMap<Store, Map<string, Promise<void>>>();

function extend(store: Store, conversationId: number, direction: 'older' | 'newer'): Promise<void> {
  const key = keys.thread(conversationId);
  const thread = store.queries.getQueryData<ThreadData>(key);
  const cursor = direction === 'older' ? thread?.olderCursor : thread?.newerCursor;
  // What is not fresh is being loaded anew.
  if (!cursor || !store.isFresh(key)) return Promise.resolve();
  const under = extending.get(store) ?? new Map<string, Promise<void>>();
  extending.set(store, under);
  const name = `${conversationId} ${direction} ${cursor}`;
  const known = under.get(name);
  if (known) return known;
  const query = { conversation_id: conversationId, limit: LARGEST_PAGE, [direction === 'older' ? 'before' : 'after']: cursor };
  const work = store
    .load(
      (client, signal) => client.get('/api/live-chat/messages', { query, signal }),
      (page) =>
        store.queries.setQueryData<ThreadData>(key, (now) => {
          // A jump or a reload in between shows another stretch.
          if (!now || (direction === 'older' ? now.olderCursor : now.newerCursor) !== cursor) return now;
          const more = without(toThread({ ...page, messages: page.messages.map((message) => store.shownMessage(message)) }), now);
          return cutWhileOpen(direction === 'older' ? join(more, now) : join(now, more), direction);
        }),
    )
    .then(() => {})
    .finally(() => under.delete(name));
  under.set(name, work);
  return work;
}

/** Shows another stretch: around a message, or the newest. */
async function show(store: Store, conversationId: number, around: number | string | null): Promise<void> {
  const query = { conversation_id: conversationId, limit: PAGE_SIZE, ...(around !== null && { around: String(around) }) };
  await store.load(
    (client, signal) => client.get('/api/live-chat/messages', { query, signal }),
    (page) => store.putLive(keys.thread(conversationId), toThread({ ...page, messages: page.messages.map((message) => store.shownMessage(message)) })),
  );
}
