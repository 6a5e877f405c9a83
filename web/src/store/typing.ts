/** Where answers are being written: by this page, which tells the customer, and by others of the same agent. */
import { keys } from './keys';
import type { Store } from './store';

/** How long WhatsApp shows it, and how soon it may be shown again. */
const SHOWN_MS = 25_000;
const AGAIN_MS = 20_000;

export class Typing {
  readonly #store: Store;
  /** When this page told last of each conversation. */
  readonly #told = new Map<number, number>();
  readonly #ends = new Map<number, () => void>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The agent types here. Never fails: it is but a courtesy. */
  tell(conversationId: number): void {
    const now = this.#store.clock.now();
    if (now - (this.#told.get(conversationId) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    for (const [id, at] of this.#told) if (now - at > SHOWN_MS) this.#told.delete(id);
    this.#told.set(conversationId, now);
    this.#store.client.post('/api/live-chat/typing', { body: { conversation_id: conversationId } }).catch(() => {});
  }

  isElsewhere(conversationId: number): boolean {
    return this.#ends.has(conversationId);
  }

  /** The customer is shown that an answer is being written; what this page told itself is no news. */
  heard(conversationId: number): void {
    const { clock } = this.#store;
    if (clock.now() - (this.#told.get(conversationId) ?? Number.NEGATIVE_INFINITY) < SHOWN_MS) return;
    this.#ends.get(conversationId)?.();
    this.#ends.set(conversationId, clock.after(SHOWN_MS, () => this.ended(conversationId)));
    this.#show(conversationId);
  }

  /** The answer was sent, or it is no longer shown. */
  ended(conversationId: number): void {
    this.#told.delete(conversationId);
    this.#ends.get(conversationId)?.();
    if (this.#ends.delete(conversationId)) this.#show(conversationId);
  }

  stop(): void {
    for (const id of this.#ends.keys()) this.ended(id);
  }

  #show(conversationId: number): void {
    this.#store.queries.setQueryData(keys.typing(conversationId), this.isElsewhere(conversationId));
  }
}
