/** Whatever order pages and changes come in: what is loaded ends as the server has it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Conversation, Message } from '../../src/api/types';
import { compareConversations, compareMessages, type ConversationList, foldIntoList, foldIntoThread, type ListParams, matches, micros, type ThreadData } from '../../src/store/fold';
import { conversationOf, messageOf } from './model';

const NOW = Date.UTC(2026, 0, 10);
/** Some microseconds apart, so that milliseconds are not enough; few, so that ids decide. */
const timeOf = (tick: number) => `2026-01-0${1 + (tick >> 2)}T00:00:00.00000${tick & 3}Z`;

describe('times', () => {
  it('are told apart to the microsecond', () => {
    expect(micros('2026-01-01T00:00:00.000001Z') - micros('2026-01-01T00:00:00Z')).toBe(1);
    expect(micros('2026-01-01T00:00:00.123456Z') - micros('2026-01-01T00:00:00.123Z')).toBe(456);
    expect(micros('2026-01-01T01:00:00.5+01:00')).toBe(micros('2026-01-01T00:00:00.5Z'));
    expect(micros('1969-12-31T23:59:59.75Z')).toBe(-250_000);
    expect(micros(null)).toBe(0);
  });
});

describe('the order', () => {
  const order = (sort: ListParams['sort'], ...items: Partial<Conversation>[]) => items.map((item, index) => conversationOf(item.id ?? index, item)).sort(compareConversations(sort)).map(({ id }) => id);

  it('is newest first, of equals the larger id, and by creation where nothing was written', () => {
    expect(order('recent', { id: 1, last_message_time: timeOf(1) }, { id: 2, last_message_time: timeOf(2) }, { id: 3, last_message_time: timeOf(2) }, { id: 4, last_message_time: null, created_at: timeOf(3) })).toEqual([4, 3, 2, 1]);
  });

  it('by waiting begins with those who wait longest, of equals the smaller id; then the newest', () => {
    const waiting = (id: number, tick: number) => ({ id, waiting_since: timeOf(tick), needs_reply: true });
    expect(order('waiting', { id: 1, last_message_time: timeOf(9) }, waiting(5, 3), waiting(4, 3), waiting(6, 2), { id: 2, last_message_time: timeOf(9) })).toEqual([6, 4, 5, 2, 1]);
  });

  it('has a window as closing in its last four hours, and not at its end', () => {
    const params: ListParams = { phoneNumberId: null, status: 'active', filter: 'window_closing', sort: 'recent', q: '' };
    const left = (ms: number) => matches(conversationOf(1, { window_expires_at: new Date(NOW + ms).toISOString() }), params, NOW);
    expect([left(4 * 3_600_000), left(4 * 3_600_000 + 1), left(1), left(0)]).toEqual([true, false, true, false]);
  });
});

const conversationChange = fc.record({
  id: fc.integer({ min: 1, max: 20 }),
  tick: fc.integer({ min: 0, max: 15 }),
  waits: fc.option(fc.integer({ min: 0, max: 15 })),
  unread: fc.integer({ min: 0, max: 1 }),
  status: fc.constantFrom('active', 'archived'),
  number: fc.constantFrom('p1', 'p2'),
  isGone: fc.integer({ min: 0, max: 7 }).map((chance) => chance === 0),
});

const listParams: fc.Arbitrary<ListParams> = fc.record({
  phoneNumberId: fc.constantFrom(null, 'p1'),
  status: fc.constantFrom('active', 'archived'),
  filter: fc.constantFrom(null, 'unread', 'unanswered'),
  sort: fc.constantFrom('recent', 'waiting'),
  q: fc.constant(''),
});

type Step<C> = { kind: 'change'; change: C } | { kind: 'page' };
const steps = <C>(change: fc.Arbitrary<C>): fc.Arbitrary<Step<C>[]> =>
  fc.array(fc.oneof({ weight: 4, arbitrary: change.map((change) => ({ kind: 'change' as const, change })) }, { weight: 1, arbitrary: fc.constant({ kind: 'page' as const }) }), { maxLength: 60 });

describe('a list', () => {
  it('is what the server has of it, after any changes between any pages', () => {
    fc.assert(
      fc.property(listParams, fc.array(conversationChange, { minLength: 12, maxLength: 40 }), steps(conversationChange), (params, before, history) => {
        const server = new Map<number, Conversation>();
        const compare = compareConversations(params.sort);
        const apply = ({ id, tick, waits, unread, status, number, isGone }: (typeof before)[number]): Change => {
          if (isGone) {
            server.delete(id);
            return { type: 'conversation.deleted', conversation_id: id, truncated: false };
          }
          const waiting = waits === null ? null : timeOf(waits);
          const conversation = conversationOf(id, { last_message_time: timeOf(tick), waiting_since: waiting, needs_reply: waiting !== null, unread_count: unread, status, phone_number_id: number });
          server.set(id, conversation);
          return { type: 'conversation.updated', conversation, truncated: false };
        };
        const rows = () => [...server.values()].filter((conversation) => matches(conversation, params, NOW)).sort(compare);
        const pageAfter = (end: Conversation | null) => {
          const following = rows().filter((row) => end === null || compare(end, row) < 0);
          const items = following.slice(0, 3);
          return { items, nextCursor: following.length > 3 ? 'more' : null, end: items.at(-1) ?? end };
        };
        for (const change of before) apply(change);
        let list: ConversationList = pageAfter(null);
        for (const step of history) {
          if (step.kind === 'change') {
            list = foldIntoList(list, apply(step.change), params, NOW);
          } else if (list.nextCursor !== null) {
            const page = pageAfter(list.end);
            list = { ...page, items: [...list.items, ...page.items] };
          }
          // Of what lies before the cursor everything is there, in order.
          const { end } = list;
          const loaded = rows().filter((row) => list.nextCursor === null || (end !== null && compare(row, end) <= 0));
          expect(list.items).toEqual(loaded);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of a search gets no conversation of which only the server knows whether it fits', () => {
    const params: ListParams = { phoneNumberId: null, status: 'active', filter: null, sort: 'recent', q: 'ada' };
    const there = conversationOf(1);
    const list: ConversationList = { items: [there], nextCursor: null, end: there };
    const told = (conversation: Conversation): Change => ({ type: 'conversation.updated', conversation, truncated: false });
    expect(foldIntoList(list, told(conversationOf(2)), params, NOW)).toBe(list);
    expect(foldIntoList(list, told(conversationOf(1, { unread_count: 3 })), params, NOW).items[0]?.unread_count).toBe(3);
  });
});

const messageChange = fc.record({
  id: fc.integer({ min: 1, max: 14 }),
  tick: fc.integer({ min: 0, max: 15 }),
  place: fc.constantFrom(1, 1, 1, 2),
  isGone: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
});

describe('a thread', () => {
  it('is the stretch that the server has, after any changes between any pages in both directions', () => {
    fc.assert(
      fc.property(fc.array(messageChange, { minLength: 4, maxLength: 20 }), fc.nat(20), steps(messageChange), (before, start, history) => {
        const server = new Map<number, Message>();
        const apply = ({ id, tick, place, isGone }: (typeof before)[number]): Change => {
          if (isGone) {
            server.delete(id);
            return { type: 'message.deleted', id, truncated: false };
          }
          const message = messageOf(id, { timestamp: timeOf(tick), conversation_id: place });
          server.set(id, message);
          return { type: 'message.updated', message, truncated: false };
        };
        const rows = () => [...server.values()].filter((message) => message.conversation_id === 1).sort(compareMessages);
        for (const change of before) apply(change);
        const first = rows();
        const at = Math.min(start, first.length);
        const messages = first.slice(at, at + 3);
        let thread: ThreadData = {
          messages,
          olderCursor: at > 0 ? 'older' : null,
          newerCursor: at + 3 < first.length ? 'newer' : null,
          oldest: messages[0] ?? null,
          newest: messages.at(-1) ?? null,
        };
        // A page is where something is.
        fc.pre(messages.length > 0 || first.length === 0);
        let turn = 0;
        for (const step of history) {
          if (step.kind === 'change') {
            thread = foldIntoThread(thread, apply(step.change), 1);
          } else if ((turn += 1) % 2 === 0 && thread.olderCursor !== null) {
            const older = rows().filter((row) => thread.oldest !== null && compareMessages(row, thread.oldest) < 0);
            const page = older.slice(-3);
            thread = { ...thread, messages: [...page, ...thread.messages], olderCursor: older.length > 3 ? 'older' : null, oldest: page[0] ?? thread.oldest };
          } else if (thread.newerCursor !== null) {
            const newer = rows().filter((row) => thread.newest !== null && compareMessages(row, thread.newest) > 0);
            const page = newer.slice(0, 3);
            thread = { ...thread, messages: [...thread.messages, ...page], newerCursor: newer.length > 3 ? 'newer' : null, newest: page.at(-1) ?? thread.newest };
          }
          const { oldest, newest } = thread;
          const loaded = rows().filter(
            (row) => (thread.olderCursor === null || (oldest !== null && compareMessages(oldest, row) <= 0)) && (thread.newerCursor === null || (newest !== null && compareMessages(row, newest) <= 0)),
          );
          expect(thread.messages).toEqual(loaded);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same object where nothing changes', () => {
    const message = messageOf(1);
    const thread: ThreadData = { messages: [message], olderCursor: null, newerCursor: null, oldest: message, newest: message };
    expect(foldIntoThread(thread, { type: 'message.updated', message: messageOf(2, { conversation_id: 9 }), truncated: false }, 1)).toBe(thread);
    expect(foldIntoThread(thread, { type: 'message.deleted', id: 7, truncated: false }, 1)).toBe(thread);
  });
});
