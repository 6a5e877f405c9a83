/**
 * Where a conversation went that is gone: when two customers prove to be one, the messages of the one's conversation move to the other's.
 * Nothing tells which that is, but a message that was seen to move does, and so does the customer.
 */
import type { Client } from '../api/client';
import type { Conversation } from '../api/types';

/** As much of a conversation as it takes to find it again. */
export type Whose = Pick<Conversation, 'phone_number_id' | 'customer_phone' | 'customer_user_id' | 'customer_username' | 'customer_name'>;

export function whoseOf({ phone_number_id = null, customer_phone = null, customer_user_id = null, customer_username = null, customer_name = null }: Whose): Whose {
  return { phone_number_id, customer_phone, customer_user_id, customer_username, customer_name };
}

export function isSameCustomer(a: Whose, b: Whose): boolean {
  if (a.phone_number_id !== b.phone_number_id) return false;
  const isSame = (one: string | null | undefined, other: string | null | undefined) => Boolean(one) && one === other;
  return isSame(a.customer_phone, b.customer_phone) || isSame(a.customer_user_id, b.customer_user_id);
}

export class Successors {
  readonly #known = new Map<number, number>();

  note(from: number, to: number): void {
    if (from !== to) this.#known.set(from, to);
  }

  /** Where it is known to have gone, at the end of the way. */
  of(id: number): number | undefined {
    const seen = new Set<number>([id]);
    let at = this.#known.get(id);
    for (let next = at; next !== undefined && !seen.has(next); next = this.#known.get(next)) {
      seen.add(next);
      at = next;
    }
    return at;
  }

  /** Asks the API for the customer's conversation; undefined where there is none. Rejects where it does not answer. */
  async find(client: Client, id: number, whose: Whose | null): Promise<number | undefined> {
    const known = this.of(id);
    if (known !== undefined || !whose) return known;
    // The API looks for names and phone numbers; whether it is the customer is seen here.
    for (const q of [whose.customer_phone, whose.customer_username, whose.customer_name]) {
      if (!q) continue;
      for (const status of ['active', 'archived'] as const) {
        const query = { q, status, limit: 100, ...(whose.phone_number_id && { phone_number_id: whose.phone_number_id }) };
        const { conversations } = await client.get('/api/live-chat/conversations', { query });
        const found = conversations.find((conversation) => conversation.id !== id && isSameCustomer(whose, conversation));
        if (!found) continue;
        this.note(id, found.id);
        return found.id;
      }
    }
    return undefined;
  }

  clear(): void {
    this.#known.clear();
  }
}
