/** What an agent does to conversations and messages. Shown at once; where the API refuses it, it is taken back, and the promise rejects with an `ApiError`. */
import { useMemo } from 'react';
import { ApiError } from '../api/client';
import type { Conversation, Message, PhoneNumber, Reaction } from '../api/types';
import { useStore } from '../store/context';
import type { Store } from '../store/store';

export interface Actions {
  /** Does nothing where nothing is unread. */
  markRead(conversationId: number): Promise<void>;
  markUnread(conversationId: number): Promise<void>;
  setStatus(conversationId: number, status: 'active' | 'archived'): Promise<void>;
  rename(conversationId: number, name: string): Promise<void>;
  /** An empty emoji takes the agent's reaction back. */
  react(message: Message, emoji: string): Promise<void>;
  /** Shows the customer that an answer is being written. To be called with each letter; never fails. */
  typing(conversationId: number): void;
  /** Has WhatsApp asked again for a file that could not be fetched. */
  retryMedia(message: Message): Promise<void>;
  setReadReceipts(phoneNumberId: string, policy: PhoneNumber['read_receipts']): Promise<void>;
}

const known = new WeakMap<Store, Actions>();

export function useActions(): Actions {
  const store = useStore();
  return useMemo(() => {
    const actions = known.get(store) ?? actionsOf(store);
    known.set(store, actions);
    return actions;
  }, [store]);
}

function actionsOf(store: Store): Actions {
  const inTurn = turns();
  const change = (id: number, patch: (conversation: Conversation) => Conversation, ask: Parameters<Store['changeConversation']>[2]) =>
    store.changeConversation(id, patch, (client) => inTurn(id, () => ask(client)));
  return {
    async markRead(id) {
      if (store.conversation(id)?.unread_count === 0) return;
      await change(id, (conversation) => ({ ...conversation, unread_count: 0 }), async (client) => (await client.post('/api/live-chat/conversations/{id}/read', { path: { id } })).conversation);
    },
    markUnread: (id) =>
      change(
        id,
        (conversation) => ({ ...conversation, unread_count: Math.max(1, conversation.unread_count) }),
        async (client) => (await client.post('/api/live-chat/conversations/{id}/unread', { path: { id } })).conversation,
      ),
    setStatus: (id, status) =>
      change(id, (conversation) => ({ ...conversation, status }), async (client) => (await client.patch('/api/live-chat/conversations/{id}', { path: { id }, body: { status } })).conversation),
    rename: (id, name) =>
      change(
        id,
        (conversation) => ({ ...conversation, customer_name: name }),
        async (client) => (await client.patch('/api/live-chat/conversations/{id}', { path: { id }, body: { customer_name: name } })).conversation,
      ),
    react: (message, emoji) => react(store, message, emoji),
    typing: (id) => store.typing.tell(id),
    async retryMedia(message) {
      const id = message.message_id ?? String(message.id);
      await store.changeMessage(
        message,
        (shown) => (shown.media ? { ...shown, media: { ...shown.media, state: 'pending' } } : shown),
        (client) => client.post('/api/live-chat/media/{message_id}/retry', { path: { message_id: id } }),
        (_, reply) => reply.message,
      );
    },
    setReadReceipts: (phoneNumberId, policy) => setReadReceipts(store, phoneNumberId, policy),
  };
}

async function react(store: Store, message: Message, emoji: string): Promise<void> {
  const target = message.wa_message_id ?? message.message_id;
  if (!target) throw new ApiError(422, { code: 'invalid_field', field: 'reaction.message_id', message: 'This message has no id at WhatsApp' });
  const body = { conversation_id: message.conversation_id, message_id: crypto.randomUUID(), message_type: 'reaction', reaction: { message_id: target, emoji } };
  const mine: Reaction = { emoji, sender: 'user', timestamp: new Date(store.clock.now()).toISOString() };
  await store.changeMessage(
    message,
    (shown) => withReaction(shown, mine),
    (client) => client.post('/api/live-chat/send-message', { body }),
    (shown, reply) => ('reaction' in reply ? withReaction(shown, reply.reaction) : shown),
  );
}

/** One a sender. */
function withReaction(message: Message, reaction: Reaction): Message {
  const others = message.reactions.filter(({ sender }) => sender !== reaction.sender);
  return { ...message, reactions: reaction.emoji === '' ? others : [...others, reaction] };
}

/** It holds for all numbers of the account. */
async function setReadReceipts(store: Store, phoneNumberId: string, policy: PhoneNumber['read_receipts']): Promise<void> {
  const numbers = store.phoneNumbers.all();
  const account = numbers.find(({ phone_number_id: id }) => id === phoneNumberId)?.waba_id;
  const before = new Map(numbers.map((number) => [number.phone_number_id, number.read_receipts]));
  const ofAccount = (number: PhoneNumber) => number.waba_id === account;
  store.phoneNumbers.change((number) => (ofAccount(number) ? { ...number, read_receipts: policy } : number));
  try {
    const { phone_number: number } = await store.client.patch('/api/live-chat/phone-numbers/{phone_number_id}', { path: { phone_number_id: phoneNumberId }, body: { read_receipts: policy } });
    store.phoneNumbers.change((one) => (ofAccount(one) ? { ...one, read_receipts: number.read_receipts } : one));
  } catch (error) {
    // What the server told meanwhile stays.
    store.phoneNumbers.change((number) => (ofAccount(number) && number.read_receipts === policy ? { ...number, read_receipts: before.get(number.phone_number_id) ?? policy } : number));
    throw error;
  }
}

/** Requests about one thing go one after the other, so that the last wish is the last that the server hears. */
function turns(): <T>(id: number, ask: () => Promise<T>) => Promise<T> {
  const last = new Map<number, Promise<unknown>>();
  return (id, ask) => {
    const before = last.get(id);
    const turn = before ? before.then(ask, ask) : ask();
    const end = () => {
      if (last.get(id) === turn) last.delete(id);
    };
    last.set(id, turn);
    turn.then(end, end);
    return turn;
  };
}
