import { expect, test } from 'vitest';
import type { Message } from '../../src/api/types';
import type { OutboxItem } from '../../src/store/outbox';
import { buildRows, createDayKey, firstUnreadOf, indexOf } from '../../src/thread/rows';

const MINUTE = 60_000;
const BEGIN = Date.parse('2026-11-22T12:00:00Z');
const dayKey = (at: number) => new Date(at).toISOString().slice(0, 10);

function message(id: number, minutes: number, more: Partial<Message> = {}): Message {
  return { id, message_id: `m${id}`, conversation_id: 1, sender: 'customer', message_type: 'text', content: `${id}`, timestamp: new Date(BEGIN + minutes * MINUTE).toISOString(), reactions: [], ...more };
}

function waiting(messageId: string, minutes: number): OutboxItem {
  return { messageId, conversationId: 1, request: { message: 'x' }, file: null, createdAt: new Date(BEGIN + minutes * MINUTE).toISOString(), state: 'queued', progress: 0, error: null, quoted: null };
}

const build = (messages: readonly Message[], outbox: readonly OutboxItem[] = [], firstUnread: number | null = null, hasOlder = false) => buildRows(messages, outbox, { dayKey, firstUnread, hasOlder });
const lastsOf = (rows: ReturnType<typeof build>) => rows.flatMap((row) => ('isLast' in row ? [row.isLast] : []));

test('each day has a row before its messages', () => {
  const rows = build([message(1, 0), message(2, 1), message(3, 24 * 60)]);
  expect(rows.map(({ key }) => key)).toEqual(['day 2026-11-22', 'm1', 'm2', 'day 2026-11-23', 'm3']);
});

test('no day begins with a message that has older ones which are not loaded', () => {
  const rows = build([message(1, 0), message(2, 24 * 60)], [], null, true);
  expect(rows.map(({ key }) => key)).toEqual(['m1', 'day 2026-11-23', 'm2']);
});

test('messages of one sender within minutes stand together', () => {
  const own = { sender: 'user' };
  expect(lastsOf(build([message(1, 0), message(2, 4), message(3, 10), message(4, 10, own), message(5, 11, own)]))).toEqual([false, true, true, false, true]);
});

test('what is added above changes no row but the days', () => {
  const later = [message(3, 2), message(4, 3), message(5, 30)];
  const before = build(later).filter(({ kind }) => kind === 'message');
  const after = build([message(1, 0), message(2, 1), ...later]);
  for (const row of before) expect(after).toContainEqual(row);
});

test('what waits stands below, under the key that its message will have', () => {
  const own = message(1, 0, { sender: 'user' });
  const rows = build([own], [waiting('a', 1), waiting('b', 1)]);
  expect(rows.map(({ key }) => key)).toEqual(['day 2026-11-22', 'm1', 'a', 'b']);
  expect(lastsOf(rows)).toEqual([false, false, true]);
});

test('the new messages begin where as many were unread, and stay there when more are loaded', () => {
  const system = message(4, 4, { message_type: 'system' });
  const loaded = [message(2, 2), message(3, 3, { sender: 'user' }), system, message(5, 5), message(6, 6)];
  expect(firstUnreadOf(loaded, 6, 2)).toBe(5);
  expect(firstUnreadOf([...loaded, message(7, 7)], 6, 2)).toBe(5);
  expect(firstUnreadOf(loaded, 6, 4)).toBeNull();
  expect(firstUnreadOf([message(1, 1), ...loaded], 6, 4)).toBe(1);
  expect(firstUnreadOf(loaded, 6, 0)).toBeNull();
  expect(build(loaded, [], 5).map(({ key }) => key)).toContain('unread');
});

test('a message is found by each of its names', () => {
  const rows = build([message(1, 0, { wa_message_id: 'wamid.x' }), message(2, 1)], [waiting('a', 2)]);
  for (const name of [1, '1', 'm1', 'wamid.x']) expect(indexOf(rows, name)).toBe(1);
  expect(indexOf(rows, 'a')).toBe(3);
  expect(indexOf(rows, 'elsewhere')).toBe(-1);
});

test('days are asked for once each quarter of an hour', () => {
  let asked = 0;
  const remembered = createDayKey((at) => {
    asked += 1;
    return dayKey(at);
  });
  for (let second = 0; second < 900; second += 1) remembered(BEGIN + second * 1000);
  expect(remembered(BEGIN + 12 * 60 * MINUTE)).toBe('2026-11-23');
  expect(asked).toBe(2);
});
