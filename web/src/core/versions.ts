/**
 * The one rule of order: of two copies of a thing the one with the larger version is newer, however they came.
 *
 * Changes carry their version. A reply carries none, but is at least as new as every change that was heard when it was asked for, so the
 * largest version heard until then stands for its own.
 */
import type { Change, Conversation, Message, PhoneNumber } from '../api/types';

/** What something says of one thing. `object` is null where it is gone. */
export type Fact = { version: number } & (
  | { kind: 'message'; id: number; object: Message | null }
  | { kind: 'conversation'; id: number; object: Conversation | null }
  | { kind: 'phone_number'; id: string; object: PhoneNumber | null }
);

/** What a change says; null where it says nothing of a thing (too large for a frame, a signal, a type of later days). */
export function factOf(change: Change): Fact | null {
  const { version } = change;
  if (change.truncated || typeof version !== 'number') return null;
  switch (change.type) {
    case 'message.created':
    case 'message.updated':
      return change.message ? { version, kind: 'message', id: change.message.id, object: change.message } : null;
    case 'conversation.updated':
      return change.conversation ? { version, kind: 'conversation', id: change.conversation.id, object: change.conversation } : null;
    case 'phone_number.updated':
      return change.phone_number
        ? { version, kind: 'phone_number', id: change.phone_number.phone_number_id, object: change.phone_number }
        : null;
    case 'message.deleted':
      return typeof change.id === 'number' ? { version, kind: 'message', id: change.id, object: null } : null;
    case 'conversation.deleted':
      return typeof change.conversation_id === 'number' ? { version, kind: 'conversation', id: change.conversation_id, object: null } : null;
    default:
      return null;
  }
}

/** Remembers how far each thing is. Deleted ones stay remembered, so that an older copy does not bring them back. */
export class Versions {
  readonly #newest = new Map<string, number>();
  readonly #deletedConversations = new Set<number>();
  #largest = 0;

  /** The largest version that was heard: what is asked for from now on is at least as new. */
  get largest(): number {
    return this.#largest;
  }

  /** Whether a change is newer than all that is known of its thing; from now on it is the newest. */
  accept(fact: Fact): boolean {
    this.#largest = Math.max(this.#largest, fact.version);
    return this.#pass(fact, (newest) => fact.version > newest);
  }

  /** The same of a reply, whose version is the largest that was heard when it was asked for: it may be newer than that. */
  acceptReply(fact: Fact): boolean {
    return this.#pass(fact, (newest) => fact.version >= newest);
  }

  clear(): void {
    this.#newest.clear();
    this.#deletedConversations.clear();
    this.#largest = 0;
  }

  /** Whether this conversation is known to be gone, and its messages with it unless they are about to move. */
  isDeleted(conversationId: number): boolean {
    return this.#deletedConversations.has(conversationId);
  }

  #pass({ kind, id, version, object }: Fact, isNewer: (newest: number) => boolean): boolean {
    const key = `${kind} ${id}`;
    const newest = this.#newest.get(key);
    if (newest !== undefined && !isNewer(newest)) return false;
    if (kind === 'message' && object && this.isDeleted(object.conversation_id)) {
      // It went with its conversation. A tab that loaded since then has not heard of that, and would keep it.
      if (version < (this.#newest.get(`conversation ${object.conversation_id}`) ?? 0)) return false;
    }
    this.#newest.set(key, version);
    if (kind === 'conversation' && object) this.#deletedConversations.delete(id);
    else if (kind === 'conversation') this.#deletedConversations.add(id);
    return true;
  }
}
