/** What a change does to what is loaded: pure, and the same object where it does nothing, so that nothing is drawn anew. */
import type { Change, Conversation, Message } from '../api/types';

/** What a list of conversations shows. */
export interface ListParams {
  /** null: of all numbers. */
  readonly phoneNumberId: string | null;
  readonly status: 'active' | 'archived';
  readonly filter: 'unread' | 'unanswered' | 'window_closing' | null;
  readonly sort: 'recent' | 'waiting';
  /** Text to look for; empty for none. */
  readonly q: string;
}

/** As much of a list as was loaded, from its beginning. */
export interface ConversationList {
  readonly items: readonly Conversation[];
  /** Leads to what follows; null at the end. */
  readonly nextCursor: string | null;
  /** Where `nextCursor` stands: the last row of the last page as it was then. It may have moved or gone since. */
  readonly end: Conversation | null;
}

/** A stretch of a conversation without a gap, oldest message first. */
export interface ThreadData {
  readonly messages: readonly Message[];
  /** Leads to older ones; null where the conversation begins. */
  readonly olderCursor: string | null;
  /** Leads to newer ones; null at the present, where new messages are added as they come. */
  readonly newerCursor: string | null;
  /** Where the cursors stand: the outermost messages of the pages as they were then. */
  readonly oldest: Message | null;
  readonly newest: Message | null;
}

/** How long before its end the customer service window counts as closing, as the server has it. */
export const WINDOW_CLOSING_MS = 4 * 3_600_000;

export function matches(conversation: Conversation, params: ListParams, now: number): boolean {
  if (params.phoneNumberId !== null && conversation.phone_number_id !== params.phoneNumberId) return false;
  if (conversation.status !== params.status) return false;
  switch (params.filter) {
    case null:
      return true;
    case 'unread':
      return conversation.unread_count > 0;
    case 'unanswered':
      return conversation.needs_reply;
    case 'window_closing': {
      const left = time(conversation.window_expires_at) - now;
      return left > 0 && left <= WINDOW_CLOSING_MS;
    }
  }
}

function lastTime(conversation: Conversation): number {
  return micros(conversation.last_message_time ?? conversation.created_at);
}

/**
 * The list's order, which is the server's: those who wait longest first where that is asked for, of equals the smaller id; then the newest, of
 * equals the larger id.
 */
export function compareConversations(sort: ListParams['sort']): (a: Conversation, b: Conversation) => number {
  return (a, b) => {
    if (sort === 'waiting' && (a.waiting_since || b.waiting_since)) {
      if (!a.waiting_since || !b.waiting_since) return a.waiting_since ? -1 : 1;
      return micros(a.waiting_since) - micros(b.waiting_since) || a.id - b.id;
    }
    return lastTime(b) - lastTime(a) || b.id - a.id;
  };
}

/** A conversation as it is now, put where it belongs in a list, or taken out. */
export function foldConversation(list: ConversationList, conversation: Conversation, params: ListParams, now: number): ConversationList {
  const at = list.items.findIndex(({ id }) => id === conversation.id);
  if (list.items[at] === conversation) return list;
  // Only the server can say whether a new one has the text; one that is there stays.
  if (at < 0 && params.q !== '') return list;
  const others = at < 0 ? list.items : list.items.filter((_, index) => index !== at);
  const compare = compareConversations(params.sort);
  const isLoaded = list.nextCursor === null || (list.end !== null && compare(conversation, list.end) <= 0);
  if (!matches(conversation, params, now) || !isLoaded) return at < 0 ? list : { ...list, items: others };
  const place = others.findIndex((other) => compare(conversation, other) < 0);
  return { ...list, items: others.toSpliced(place < 0 ? others.length : place, 0, conversation) };
}

export function removeConversation(list: ConversationList, id: number): ConversationList {
  return list.items.some((item) => item.id === id) ? { ...list, items: list.items.filter((item) => item.id !== id) } : list;
}

export function compareMessages(a: Message, b: Message): number {
  return micros(a.timestamp) - micros(b.timestamp) || a.id - b.id;
}

/** A message as it is now, in the thread of `conversationId`. */
export function foldMessage(thread: ThreadData, message: Message, conversationId: number): ThreadData {
  const at = thread.messages.findIndex(({ id }) => id === message.id);
  if (thread.messages[at] === message) return thread;
  if (message.conversation_id !== conversationId) return at < 0 ? thread : removeMessage(thread, message.id);
  const there = thread.messages[at];
  if (there && compareMessages(there, message) === 0) return { ...thread, messages: thread.messages.with(at, message) };
  const others = there ? thread.messages.filter((_, index) => index !== at) : thread.messages;
  let place = others.length;
  while (place > 0 && compareMessages(message, others[place - 1] as Message) < 0) place -= 1;
  const { oldest, newest } = thread;
  const isLoaded =
    (thread.olderCursor === null || (oldest !== null && compareMessages(oldest, message) <= 0)) &&
    (thread.newerCursor === null || (newest !== null && compareMessages(message, newest) <= 0));
  return isLoaded ? { ...thread, messages: others.toSpliced(place, 0, message) } : there ? { ...thread, messages: others } : thread;
}

export function removeMessage(thread: ThreadData, id: number): ThreadData {
  return thread.messages.some((message) => message.id === id)
    ? { ...thread, messages: thread.messages.filter((message) => message.id !== id) }
    : thread;
}

/** What a change does to a list. */
export function foldIntoList(list: ConversationList, change: Change, params: ListParams, now: number): ConversationList {
  if (change.type === 'conversation.updated' && change.conversation) return foldConversation(list, change.conversation, params, now);
  if (change.type === 'conversation.deleted' && change.conversation_id) return removeConversation(list, change.conversation_id);
  return list;
}

/** What a change does to a thread. */
export function foldIntoThread(thread: ThreadData, change: Change, conversationId: number): ThreadData {
  if (change.message) return foldMessage(thread, change.message, conversationId);
  if (change.type === 'message.deleted' && change.id) return removeMessage(thread, change.id);
  return thread;
}

/** Milliseconds since 1970; before everything where there is none. */
export function time(value: string | null | undefined): number {
  return value ? Date.parse(value) : Number.NEGATIVE_INFINITY;
}

/** Microseconds since 1970, as the server's order has them; 1970 where there is none. */
export function micros(value: string | null | undefined): number {
  if (!value) return 0;
  // `Date` knows no more than milliseconds.
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  return Math.floor(Date.parse(value) / 1000) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
