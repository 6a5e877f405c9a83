/** What of the changes is news to an agent: pure. */
import type { Change, Message } from '../api/types';

export interface News {
  readonly message: Message;
  readonly phoneNumberId: string | null;
}

/** What came later than that after it was written nobody is told of, as with the server's notifications. */
const LATEST_MS = 3_600_000;

/** The messages that customers wrote just now. Echoes and answers are the business's; of a history, and of what was read already, there is nothing to say. */
export function newsOf(changes: readonly Change[], now: number): News[] {
  return changes.flatMap(({ type, message, phone_number_id }) => {
    if (type !== 'message.created' || !message) return [];
    const isNews =
      message.sender === 'customer' &&
      message.message_type !== 'system' &&
      message.status !== 'read' &&
      !message.deleted_at &&
      now - Date.parse(message.timestamp ?? '') <= LATEST_MS;
    return isNews ? [{ message, phoneNumberId: phone_number_id ?? null }] : [];
  });
}

/** The last of each conversation, in their order. */
export function latestOfEach(news: readonly News[]): News[] {
  const latest = new Map<number, News>();
  for (const one of news) {
    latest.delete(one.message.conversation_id);
    latest.set(one.message.conversation_id, one);
  }
  return [...latest.values()];
}
