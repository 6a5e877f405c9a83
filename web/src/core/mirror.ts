/** All that was loaded and heard of, by id: a store for simple clients and for tests. It may be told anything, in any order, any number of times. */
import type { Change, Conversation, Message, PhoneNumber } from '../api/types';
import type { LiveEvent, Moment } from './live';
import { type Fact, factOf, Versions } from './versions';

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
      if (!this.#versions.isDeleted(message.conversation_id)) yield message;
    }
  }

  message(id: number): Message | undefined {
    const message = this.#messages.get(id);
    return message && !this.#versions.isDeleted(message.conversation_id) ? message : undefined;
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
    const facts = changes.map(factOf).filter((fact) => fact !== null);
    this.#take(facts.filter((fact) => this.#versions.accept(fact)));
  }

  /** Takes what a reply says that was asked for at `moment`. */
  putMessages(list: readonly Message[], { version, signal }: Moment): void {
    if (!signal.aborted) this.#put(list.map((object) => ({ version, kind: 'message', id: object.id, object })));
  }

  /** The same. */
  putConversations(list: readonly Conversation[], { version, signal }: Moment): void {
    if (!signal.aborted) this.#put(list.map((object) => ({ version, kind: 'conversation', id: object.id, object })));
  }

  /** The same. */
  putPhoneNumbers(list: readonly PhoneNumber[], { version, signal }: Moment): void {
    if (!signal.aborted) this.#put(list.map((object) => ({ version, kind: 'phone_number', id: object.phone_number_id, object })));
  }

  /** Throws everything away. */
  clear(): void {
    this.#versions.clear();
    this.#messages.clear();
    this.#conversations.clear();
    this.#phoneNumbers.clear();
    this.#tell({ all: true, messages: new Set(), conversations: new Set(), phoneNumbers: new Set() });
  }

  /** Calls `listener` after each change; what it returns ends that. */
  subscribe(listener: (change: MirrorChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #put(facts: readonly Fact[]): void {
    this.#take(facts.filter((fact) => this.#versions.acceptReply(fact)));
  }

  #take(facts: readonly Fact[]): void {
    const messages = new Set<number>();
    const conversations = new Set<number>();
    const phoneNumbers = new Set<string>();
    for (const fact of facts) {
      switch (fact.kind) {
        case 'message':
          set(this.#messages, fact.id, fact.object);
          messages.add(fact.id);
          break;
        case 'conversation':
          set(this.#conversations, fact.id, fact.object);
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
