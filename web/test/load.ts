/** Loads all lists into a mirror after each reset, racing with what is told. */
import type { Live, Mirror, Moment } from '../src/core/index';
import { ApiError } from '../src/api/client';

/** Loads until everything is there; `pause` is awaited between tries. Gives up when another reset comes. */
export async function loadAll(live: Live, mirror: Mirror, pause: () => Promise<void>): Promise<void> {
  const { signal } = live.now();
  /** Asks until there is an answer, and keeps it; gives null where there will be none. */
  const insist = async <T>(ask: () => Promise<T>, keep: (reply: T, moment: Moment) => void): Promise<T | null> => {
    for (;;) {
      if (signal.aborted) return null;
      const moment = live.now();
      try {
        const reply = await ask();
        keep(reply, moment);
        return signal.aborted ? null : reply;
      } catch (error) {
        // A conversation that is one with another meanwhile, which is told.
        if (error instanceof ApiError && error.status === 404) return null;
        await pause();
      }
    }
  };
  await insist(
    () => live.client.get('/api/live-chat/phone-numbers', { signal }),
    (reply, moment) => mirror.putPhoneNumbers(reply.phone_numbers, moment),
  );
  const conversations: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = cursor === undefined ? {} : { cursor };
    const page = await insist(
      () => live.client.get('/api/live-chat/conversations', { query, signal }),
      (reply, moment) => mirror.putConversations(reply.conversations, moment),
    );
    if (!page) return;
    conversations.push(...page.conversations.map(({ id }) => id));
    cursor = page.next_cursor ?? null;
  }
  for (const conversation_id of conversations) {
    for (let before: string | null | undefined; before !== null; ) {
      const query = before === undefined ? { conversation_id } : { conversation_id, before };
      const page = await insist(
        () => live.client.get('/api/live-chat/messages', { query, signal }),
        (reply, moment) => mirror.putMessages(reply.messages, moment),
      );
      before = page?.next_cursor ?? null;
    }
  }
}
