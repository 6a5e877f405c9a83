/** The one rule of order: of two copies of an object the one with the larger version is newer, however they came. */
import type { Change, Conversation, Message, PhoneNumber } from '../api/types';

/** What a change made of one object. `object` is null where it is gone. */
export type Fact =
  | { kind: 'message'; id: number; version: number; object: Message | null }
  | { kind: 'conversation'; id: number; version: number; object: Conversation | null }
  | { kind: 'phone_number'; id: string; version: number; object: PhoneNumber | null };

/** What a change says of an object; null where it carries none (too large for a frame, a signal, a type of later days). */
export function factOf(change: Change): Fact | null {
  if (change.truncated) return null;
  switch (change.type) {
    case 'message.created':
    case 'message.updated':
      return change.message ? messageFact(change.message) : null;
    case 'conversation.updated':
      return change.conversation ? conversationFact(change.conversation) : null;
    case 'phone_number.updated':
      return change.phone_number ? phoneNumberFact(change.phone_number) : null;
    case 'message.deleted':
      return typeof change.id === 'number' && typeof change.version === 'number'
        ? { kind: 'message', id: change.id, version: change.version, object: null }
        : null;
    case 'conversation.deleted':
      return typeof change.conversation_id === 'number' && typeof change.version === 'number'
        ? { kind: 'conversation', id: change.conversation_id, version: change.version, object: null }
        : null;
    default:
      return null;
  }
}

export function messageFact(object: Message): Fact {
  return { kind: 'message', id: object.id, version: object.version, object };
}

export function conversationFact(object: Conversation): Fact {
  return { kind: 'conversation', id: object.id, version: object.version, object };
}

export function phoneNumberFact(object: PhoneNumber): Fact {
  return { kind: 'phone_number', id: object.phone_number_id, version: object.version, object };
}

/** Remembers how far each object is. Deleted ones stay remembered, so that an older copy does not bring them back. */
export class Versions {
  readonly #newest = new Map<string, number>();

  /** Whether a fact is newer than all before it about the same object; from now on it is the newest. */
  accept(fact: Fact): boolean {
    const key = `${fact.kind} ${fact.id}`;
    const newest = this.#newest.get(key);
    if (newest !== undefined && fact.version <= newest) return false;
    this.#newest.set(key, fact.version);
    return true;
  }

  clear(): void {
    this.#newest.clear();
  }
}
