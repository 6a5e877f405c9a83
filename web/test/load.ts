/** Loads all lists into a mirror after each reset, racing with what is told. */
import type { Live, Mirror } from '../src/index';
import { ApiError } from '../src/api/client';

/** Loads until everything is there; `pause` is awaited between tries. Gives up when another reset comes. */
export async function loadAll(live: Live, mirror: Mirror, pause: () => Promise<void>): Promise<void> {
  const signal = live.epoch;
  const insist = async <T>(ask: () => Promise<T>): Promise<T | null> => {
    for (;;) {
      try {
        const reply = await ask();
        if (signal.aborted) return null;
        return reply;
      } catch (error) {
        // Joined with another one meanwhile, which is told.
        if (signal.aborted || (error instanceof ApiError && error.status === 404)) return null;
        await pause();
      }
    }
  };
  const numbers = await insist(() => live.client.get('/api/live-chat/phone-numbers', { signal }));
  if (numbers) mirror.putPhoneNumbers(numbers.phone_numbers as never);
  const conversations: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = cursor === undefined ? {} : { cursor };
    const page = await insist(() => live.client.get('/api/live-chat/conversations', { query, signal }));
    if (!page) return;
    mirror.putConversations(page.conversations as never);
    conversations.push(...page.conversations.map(({ id }) => id));
    cursor = page.next_cursor ?? null;
  }
  for (const conversation_id of conversations) {
    for (let before: string | null | undefined; before !== null; ) {
      const query = before === undefined ? { conversation_id } : { conversation_id, before };
      const page = await insist(() => live.client.get('/api/live-chat/messages', { query, signal }));
      if (!page) break;
      mirror.putMessages(page.messages as never);
      before = page.next_cursor ?? null;
    }
  }
}
