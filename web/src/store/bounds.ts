/**
 * Keeps the memory from filling. Of what nothing shows only the newest few of each kind stay, and of a thread its newest page, or nothing where
 * that is not loaded; of a thread that is open what is some screens around.
 */
import type { Query, QueryClient } from '@tanstack/react-query';
import type { ThreadData } from './fold';

/** How many of each kind stay that nothing shows. */
const MOST: Record<string, number> = { thread: 30, conversation: 100, conversations: 12, media: 300, outbox: 100, draft: 100, search: 10, typing: 20 };
/** How much of a thread stays once it is left. */
const THREAD_SIZE = 50;
/**
 * How many messages of an open thread stay: many screens in each direction. Neither memory nor the work of a frame grows with how far one
 * scrolled.
 */
export const MOST_LOADED = 1_000;

/** Begins; what it returns ends it. */
export function keepBounded(queries: QueryClient): () => void {
  const cache = queries.getQueryCache();
  /** By kind, what was left last at the end. */
  const left = new Map<string, Set<Query>>();
  return cache.subscribe((event) => {
    const { query } = event;
    const kind = String(query.queryKey[0]);
    const most = MOST[kind];
    if (most === undefined) return;
    const known = left.get(kind) ?? new Set();
    left.set(kind, known);
    if (event.type === 'removed' || event.type === 'observerAdded') {
      known.delete(query);
      return;
    }
    const isLeft = event.type === 'observerRemoved' && query.getObserversCount() === 0;
    if (!isLeft && event.type !== 'added') return;
    known.delete(query);
    known.add(query);
    if (isLeft && kind === 'thread') cut(query as Query<unknown, unknown, ThreadData>);
    for (const oldest of known) {
      if (known.size <= most) break;
      known.delete(oldest);
      if (oldest.getObserversCount() === 0 && oldest !== query) cache.remove(oldest);
    }
  });
}

function cut(query: Query<unknown, unknown, ThreadData>): void {
  const thread = query.state.data;
  if (!thread || thread.messages.length <= THREAD_SIZE) return;
  if (thread.newerCursor !== null) {
    // Its last messages are not the present; whoever comes back begins there.
    query.setState({ data: undefined, status: 'pending' });
    return;
  }
  const messages = thread.messages.slice(-THREAD_SIZE);
  const oldest = messages[0];
  // A message's id leads to what is older than it.
  if (oldest) query.setState({ data: { ...thread, messages, olderCursor: String(oldest.id), oldest } });
}

/** A thread that was extended in one direction, cut at its other end, from where it is loaded again. A message's id leads to what is older or newer than it. */
export function cutWhileOpen(thread: ThreadData, extended: 'older' | 'newer'): ThreadData {
  if (thread.messages.length <= MOST_LOADED) return thread;
  if (extended === 'older') {
    const messages = thread.messages.slice(0, MOST_LOADED);
    const newest = messages.at(-1) ?? null;
    return { ...thread, messages, newest, newerCursor: newest && String(newest.id) };
  }
  const messages = thread.messages.slice(-MOST_LOADED);
  const oldest = messages[0] ?? null;
  return { ...thread, messages, oldest, olderCursor: oldest && String(oldest.id) };
}
