/** What stands in the outbox: as it is shown, as a tab has it, and what the tabs tell each other of it. */
import type { Message, SendRequest } from '../api/types';
import type { Kept } from './sending';

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

/** What a message answers, with as much of it as its quote shows. */
export type Quoted = Pick<Message, 'id' | 'message_id' | 'wa_message_id' | 'sender' | 'message_type' | 'content' | 'media_caption'>;

/** Why an item is not sent. */
export interface OutboxError {
  /** The API's code, such as `customer_service_window_closed`. */
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  /** Since when the window is closed, or marketing not wanted. */
  readonly since?: string;
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
  readonly quoted: Quoted | null;
}

export interface OutboxTotals {
  /** Those that are being sent count too. */
  readonly queued: number;
  readonly failed: number;
}

/** What the tabs tell each other. */
export type Letter =
  /** Something was kept or changed on disk. */
  | { kind: 'kept' }
  | { kind: 'wake' }
  /** This tab has just come: how is it with what is being sent? */
  | { kind: 'ask' }
  | { kind: 'state'; messageId: string; state: 'queued' | 'uploading' | 'sending'; progress: number }
  /** It is done with. */
  | { kind: 'gone'; messageId: string; message: Message | null; error: ErrorLetter | null }
  | { kind: 'cleared' };
type ErrorLetter = { status: number; details: Record<string, unknown> };

/** An item as a tab has it. */
export interface Entry {
  kept: Kept;
  /** Whether it is on the disk that all tabs share; if it could not be put there, this tab sends it. */
  isShared: boolean;
  state: 'queued' | 'uploading' | 'sending';
  progress: number;
  item: OutboxItem | null;
}

/** A request that was sent, for sending it again. */
export interface Sent {
  readonly messageId: string;
  readonly conversationId: number;
  readonly request: Outgoing;
  readonly at: number;
}

export function itemOf(entry: Entry): OutboxItem {
  const { messageId, conversationId, request, file, createdAt, error, quoted = null } = entry.kept;
  entry.item ??= { messageId, conversationId, request, file, createdAt, state: error ? 'failed' : entry.state, progress: entry.progress, error, quoted };
  return entry.item;
}

/** As a message is shown that is sent again. */
export function asPending(message: Message): Message {
  return { ...message, status: 'pending', error: null };
}
