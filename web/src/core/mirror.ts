/** All that was loaded and heard of, by id: a store for simple clients and for tests. It may be told anything, in any order, any number of times. */
import type { Change, Conversation, Message, PhoneNumber } from '../api/types';
import type { LiveEvent } from './live';
import { conversationFact, type Fact, factOf, messageFact, phoneNumberFact, Versions } from './versions';

/** The ids of what changed; `all` after everything was thrown away. */
export interface MirrorChange {
  all: boolean;
  messages: ReadonlySet<number>;
  conversations: ReadonlySet<number>;
  phoneNumbers: ReadonlySet<string>;
}

export class Mirror {
  readonly #versions = new Versions();
  readonly #messages = new Map<number, Message>();
  readonly #conversations = new Map<number, Conversation>();
  readonly #phoneNumbers = new Map<string, PhoneNumber>();
  readonly #deletedConversations = new Set<number>();
  readonly #listeners = new Set<(change: MirrorChange) => void>();

  get conversations(): ReadonlyMap<number, Conversation> {
    return this.#conversations;
  }

  get phoneNumbers(): ReadonlyMap<string, PhoneNumber> {
    return this.#phoneNumbers;
  }

  /** All messages but those of deleted conversations: they go with them, or are about to move to another one. */
  *messages(): Generator<Message> {
    for (const message of this.#messages.values()) {
      if (!this.#deletedConversations.has(message.conversation_id)) yield message;
    }
  }

  message(id: number): Message | undefined {
    const message = this.#messages.get(id);
    return message && !this.#deletedConversations.has(message.conversation_id) ? message : undefined;
  }

  /** Hears what `live` tells, from now on; what it returns ends that. Loading is the page's part, after each reset. */
  follow(live: { subscribe(listener: (event: LiveEvent) => void): () => void }): () => void {
    return live.subscribe((event) => {
      if (event.type === 'reset') this.clear();
      else if (event.type === 'changes') this.apply(event.changes);
    });
  }

  /** Takes what frames and pages of `changes` say. */
  apply(changes: readonly Change[]): void {
    this.#take(changes.map(factOf));
  }

  putMessages(list: readonly Message[]): void {
    this.#take(list.map(messageFact));
  }

  putConversations(list: readonly Conversation[]): void {
    this.#take(list.map(conversationFact));
  }

  putPhoneNumbers(list: readonly PhoneNumber[]): void {
    this.#take(list.map(phoneNumberFact));
  }

  /** Throws everything away. */
  clear(): void {
    this.#versions.clear();
    this.#messages.clear();
    this.#conversations.clear();
    this.#phoneNumbers.clear();
    this.#deletedConversations.clear();
    this.#tell({ all: true, messages: new Set(), conversations: new Set(), phoneNumbers: new Set() });
  }

  /** Calls `listener` after each change; what it returns ends that. */
  subscribe(listener: (change: MirrorChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #take(facts: readonly (Fact | null)[]): void {
    const messages = new Set<number>();
    const conversations = new Set<number>();
    const phoneNumbers = new Set<string>();
    for (const fact of facts) {
      if (fact === null || !this.#versions.accept(fact)) continue;
      switch (fact.kind) {
        case 'message':
          set(this.#messages, fact.id, fact.object);
          messages.add(fact.id);
          break;
        case 'conversation':
          set(this.#conversations, fact.id, fact.object);
          if (fact.object) this.#deletedConversations.delete(fact.id);
          else this.#deletedConversations.add(fact.id);
          conversations.add(fact.id);
          break;
        case 'phone_number':
          set(this.#phoneNumbers, fact.id, fact.object);
          phoneNumbers.add(fact.id);
          break;
      }
    }
    if (messages.size + conversations.size + phoneNumbers.size > 0) {
      this.#tell({ all: false, messages, conversations, phoneNumbers });
    }
  }

  #tell(change: MirrorChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function set<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
