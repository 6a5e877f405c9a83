/** What stands in the thread, one below the other: messages, and between them days and where the new ones begin. Pure. */
import type { Message } from '../api/types';
import type { OutboxItem } from '../store/outbox';

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'message'; readonly key: string; readonly message: Message; readonly isLast: boolean }
  | { readonly kind: 'outbox'; readonly key: string; readonly item: OutboxItem; readonly isLast: boolean };

/** Messages of one sender that follow each other within this stand together. */
const TOGETHER_MS = 5 * 60_000;
/** No time zone changes its day between two of these. */
const QUARTER_MS = 15 * 60_000;

/** A message's own key, which its item in the outbox had before it. */
export function keyOf(message: Pick<Message, 'message_id' | 'id'>): string {
  return message.message_id ?? `row ${message.id}`;
}

export function timeOf(message: Pick<Message, 'timestamp'>): number {
  return message.timestamp ? Date.parse(message.timestamp) : 0;
}

/** Remembers the days of quarters of an hour: asking `Intl` for each of many thousand messages takes long. */
export function createDayKey(dayKey: (at: number) => string): (at: number) => string {
  const known = new Map<number, string>();
  return (at) => {
    const quarter = Math.floor(at / QUARTER_MS);
    const day = known.get(quarter) ?? dayKey(at);
    known.set(quarter, day);
    return day;
  };
}

/**
 * A row never changes its height because of what stands above it, so that older ones can be added there without moving anything: days have
 * rows of their own, and what belongs together shows below the last of it. While there are older messages, nobody knows whether a day begins
 * with the first that is loaded: its row would move up with each page, and the list with it, which is held at its first row.
 */
export function buildRows(
  messages: readonly Message[],
  outbox: readonly OutboxItem[],
  { dayKey, firstUnread, hasOlder }: { dayKey: (at: number) => string; firstUnread: number | null; hasOlder: boolean },
): readonly Row[] {
  const rows: Row[] = [];
  let day = hasOlder && messages[0] ? dayKey(timeOf(messages[0])) : null;
  const addDay = (at: number) => {
    const next = dayKey(at);
    if (next !== day) rows.push({ kind: 'day', key: `day ${next}`, at });
    day = next;
  };
  for (const [index, message] of messages.entries()) {
    const at = timeOf(message);
    addDay(at);
    if (message.id === firstUnread) rows.push({ kind: 'unread', key: 'unread' });
    const next = messages[index + 1];
    const isLast = next
      ? !areTogether(message, next) || next.id === firstUnread || dayKey(timeOf(next)) !== day
      : outbox.length === 0 || message.sender !== 'user' || Date.parse(outbox[0]?.createdAt ?? '') - at > TOGETHER_MS;
    rows.push({ kind: 'message', key: keyOf(message), message, isLast });
  }
  for (const [index, item] of outbox.entries()) {
    addDay(Date.parse(item.createdAt));
    rows.push({ kind: 'outbox', key: item.messageId, item, isLast: index === outbox.length - 1 });
  }
  return rows;
}

function areTogether(a: Message, b: Message): boolean {
  return a.sender === b.sender && a.message_type !== 'system' && b.message_type !== 'system' && timeOf(b) - timeOf(a) <= TOGETHER_MS;
}

/** Whether a message is one that an agent has to read. */
export function isInbound(message: Message): boolean {
  return message.sender === 'customer' && message.message_type !== 'system';
}

/**
 * The `id` of the message where those begin that are unread: the `unread`-th of the customer's, counted from `newest` up. null where there
 * is none, or where it is not loaded yet.
 */
export function firstUnreadOf(messages: readonly Message[], newest: number, unread: number): number | null {
  let left = unread;
  if (left <= 0) return null;
  let index = messages.length - 1;
  while (index >= 0 && messages[index]?.id !== newest) index -= 1;
  for (; index >= 0; index -= 1) {
    const message = messages[index];
    if (!message || !isInbound(message)) continue;
    left -= 1;
    if (left === 0) return message.id;
  }
  return null;
}

/** Where in `rows` a message stands, by its `id`, `message_id` or wamid; -1 where it does not. */
export function indexOf(rows: readonly Row[], target: number | string): number {
  return rows.findIndex((row) => {
    if (row.kind === 'outbox') return row.item.messageId === target;
    if (row.kind !== 'message') return false;
    const { id, message_id, wa_message_id } = row.message;
    return id === target || message_id === target || wa_message_id === target || String(id) === target;
  });
}
