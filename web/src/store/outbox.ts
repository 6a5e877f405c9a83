/** What was written and is not sent yet. */
import type { Message, SendRequest } from '../api/types';
import { keys } from './keys';
import type { Store } from './store';

/** Graph's own object of a message, without the ids that are added when it is sent. */
export type Outgoing = Omit<SendRequest, 'conversation_id' | 'message_id' | 'retry'>;

/** A file that goes with a message: it is uploaded first, and its `media_id` put into the message's object. */
export interface OutgoingFile {
  readonly file: Blob;
  readonly name: string;
  /** Which object of the message it belongs to. */
  readonly kind: 'image' | 'video' | 'audio' | 'document' | 'sticker';
  /** Of pictures and videos, in pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Of a recording: its length, and 64 peaks from 0 to 100. */
  readonly durationMs?: number;
  readonly peaks?: readonly number[];
}

/** Why an item is not sent. */
export interface OutboxError {
  /** The API's code, such as `customer_service_window_closed`. */
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
}

export interface OutboxItem {
  /** Also the idempotency key: a UUID. */
  readonly messageId: string;
  readonly conversationId: number;
  readonly request: Outgoing;
  readonly file: OutgoingFile | null;
  /** When the agent sent it, RFC 3339. */
  readonly createdAt: string;
  /** `queued` until it is its turn, `uploading` and `sending` while it is tried, `failed` until the agent decides. */
  readonly state: 'queued' | 'uploading' | 'sending' | 'failed';
  /** Of the upload, from 0 to 1. */
  readonly progress: number;
  readonly error: OutboxError | null;
}

export class Outbox {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  start(): () => void {
    return () => {};
  }

  /** Resolves once it is kept: from then on it is sent, whatever happens to the tab. */
  async send(conversationId: number, request: Outgoing, file: OutgoingFile | null = null): Promise<OutboxItem> {
    const item: OutboxItem = {
      messageId: crypto.randomUUID(),
      conversationId,
      request,
      file,
      createdAt: new Date().toISOString(),
      state: 'queued',
      progress: 0,
      error: null,
    };
    this.#store.queries.setQueryData<readonly OutboxItem[]>(keys.outbox(conversationId), (items = []) => [...items, item]);
    const body = { ...request, conversation_id: conversationId, message_id: item.messageId };
    const reply = await this.#store.client.post('/api/live-chat/send-message', { body });
    if ('message' in reply) this.#store.putMessage(reply.message);
    return item;
  }

  /** Tries a failed item, or a message that failed at WhatsApp, again under its own id. */
  async retry(_messageId: string): Promise<void> {}

  /** Takes back what is not sent yet. */
  async discard(_messageId: string): Promise<void> {}

  /** The items of a conversation, in the order of sending. */
  of(_conversationId: number): readonly OutboxItem[] {
    return [];
  }

  /** The connection is now in this state. */
  wake(_state: string): void {}

  get totals(): { queued: number; failed: number } {
    return { queued: 0, failed: 0 };
  }

  /** The server has this message. */
  settle(message: Message): void {
    this.#store.queries.setQueryData<readonly OutboxItem[]>(keys.outbox(message.conversation_id), (items) =>
      items?.some(({ messageId }) => messageId === message.message_id) ? items.filter(({ messageId }) => messageId !== message.message_id) : items,
    );
  }
}
