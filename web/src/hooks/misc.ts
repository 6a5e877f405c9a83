import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { PhoneNumber } from '../api/types';
import type { Status } from '../core/live';
import { useStore } from '../store/context';
import type { OutboxItem, Outgoing, OutgoingFile, Quoted } from '../store/outbox';
import { keys } from '../store/store';

/** The agent's phone numbers; undefined until the first answer. */
export function usePhoneNumbers(): readonly PhoneNumber[] | undefined {
  const store = useStore();
  const key = keys.phoneNumbers();
  return useQuery({
    queryKey: key,
    queryFn: store.fetchLive(
      key,
      (client, signal) => client.get('/api/live-chat/phone-numbers', { signal }),
      (reply) => reply.phone_numbers,
    ),
  }).data;
}

/** How many messages are unread, of one number or of all. */
export function useUnread(phoneNumberId: string | null = null): number {
  const numbers = usePhoneNumbers() ?? [];
  return numbers.reduce((sum, number) => (phoneNumberId === null || number.phone_number_id === phoneNumberId ? sum + number.unread_count : sum), 0);
}

/** Whether changes arrive, and up to when everything is here. */
export function useConnection(): Status {
  const store = useStore();
  return useQuery({ queryKey: keys.status(), queryFn: () => store.live.status, initialData: store.live.status, enabled: false }).data;
}

/** Sends messages in a conversation, `quoted` being what one answers: each is kept first, and then sent in its turn, also after the tab was closed. */
export function useSend(conversationId: number): (message: Outgoing, file?: OutgoingFile | null, quoted?: Quoted | null) => Promise<OutboxItem> {
  const store = useStore();
  return useCallback((message, file = null, quoted = null) => store.outbox.send(conversationId, message, file, quoted), [store, conversationId]);
}

/** Whether another page of this agent tells the customer that an answer is being written. */
export function useTyping(conversationId: number): boolean {
  const store = useStore();
  const isElsewhere = () => store.typing.isElsewhere(conversationId);
  return useQuery({ queryKey: keys.typing(conversationId), queryFn: isElsewhere, initialData: isElsewhere, enabled: false }).data;
}

/** How many messages wait to be sent, and how many could not be, in all conversations. */
export function useOutboxTotals(): { queued: number; failed: number } {
  const store = useStore();
  const totals = () => store.outbox.totals;
  return useQuery({ queryKey: keys.outboxTotals(), queryFn: totals, initialData: totals, enabled: false }).data;
}
