/** How much of a conversation stays in memory, and that none of it is lost. */
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { cutWhileOpen, keepBounded, MOST_LOADED } from '../../src/store/bounds';
import { foldMessage, type ThreadData } from '../../src/store/fold';
import { messageOf } from './model';

const at = (id: number) => messageOf(id, { conversation_id: 1, timestamp: new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString() });
const stretch = (from: number, to: number, cursors: Partial<ThreadData> = {}): ThreadData => {
  const messages = Array.from({ length: to - from + 1 }, (_, index) => at(from + index));
  return { messages, olderCursor: null, newerCursor: null, oldest: messages[0] ?? null, newest: messages.at(-1) ?? null, ...cursors };
};
const ids = (thread: ThreadData) => thread.messages.map(({ id }) => id);

describe('an open thread', () => {
  it('is not cut while it is short', () => {
    const thread = stretch(1, MOST_LOADED);
    expect(cutWhileOpen(thread, 'older')).toBe(thread);
    expect(cutWhileOpen(thread, 'newer')).toBe(thread);
  });

  it('loses its newest messages when older ones are added, and what leads to them is its last one', () => {
    const thread = cutWhileOpen(stretch(1, MOST_LOADED + 100, { olderCursor: 'older' }), 'older');
    expect([thread.messages.length, ids(thread)[0], ids(thread).at(-1)]).toEqual([MOST_LOADED, 1, MOST_LOADED]);
    expect([thread.olderCursor, thread.newerCursor, thread.newest?.id]).toEqual(['older', String(MOST_LOADED), MOST_LOADED]);
  });

  it('loses its oldest messages when newer ones are added', () => {
    const thread = cutWhileOpen(stretch(1, MOST_LOADED + 100), 'newer');
    expect([ids(thread)[0], ids(thread).at(-1), thread.olderCursor, thread.oldest?.id, thread.newerCursor]).toEqual([101, MOST_LOADED + 100, '101', 101, null]);
  });

  it('takes no new message beyond where it was cut, and still takes those within', () => {
    const thread = cutWhileOpen(stretch(1, MOST_LOADED + 100), 'older');
    expect(foldMessage(thread, at(MOST_LOADED + 500), 1)).toBe(thread);
    expect(foldMessage(thread, at(MOST_LOADED + 50), 1)).toBe(thread);
    const late = { ...at(MOST_LOADED + 500), timestamp: at(500).timestamp ?? null };
    expect(ids(foldMessage(thread, late, 1)).indexOf(late.id)).toBe(500);
  });
});

describe('a thread that was left', () => {
  const leave = (thread: ThreadData) => {
    const queries = new QueryClient();
    const end = keepBounded(queries);
    queries.setQueryData(['thread', 1], thread);
    new QueryObserver<ThreadData>(queries, { queryKey: ['thread', 1], enabled: false }).subscribe(() => {})();
    end();
    return queries.getQueryData<ThreadData>(['thread', 1]);
  };

  it('keeps its newest page', () => {
    const left = leave(stretch(1, 400));
    expect(left && [left.messages.length, left.olderCursor, left.newerCursor]).toEqual([50, '351', null]);
  });

  it('keeps nothing of its past where that does not reach the present: whoever comes back begins there', () => {
    expect(leave(stretch(1, 400, { newerCursor: '400' }))).toBeUndefined();
  });
});
