/** One try to send one item of the outbox, and what its end means. */
import { ApiError, type Client } from '../api/client';
import type { Message, SendRequest } from '../api/types';
import type { OutboxError, Outgoing, OutgoingFile, Quoted } from './outbox_items';
import type { Whose } from './successors';

/** What is kept of an item: all that its request is made of, so that each try asks for the same. */
export interface Kept {
  /** The order of sending, which the database gives. */
  readonly seq: number;
  readonly messageId: string;
  readonly conversationId: number;
  readonly request: Outgoing;
  /** Other forms that the request of a message may have had which another browser sent. */
  readonly others: readonly Outgoing[];
  readonly file: OutgoingFile | null;
  /** The file, once it is uploaded. */
  readonly mediaId: string | null;
  readonly createdAt: string;
  readonly error: OutboxError | null;
  /** Whether the server has this message already, and it failed. */
  readonly isRetry: boolean;
  /** As much of what it answers as its quote shows. */
  readonly quoted?: Quoted | null;
  /** Whose conversation it is, should that become part of another one. */
  readonly whose?: Whose | null;
}

export type Outcome =
  /** The server has it. */
  | { kind: 'sent'; message: Message | null }
  /** It will not be taken as it is. With `message` the server has it, and that says why. */
  | { kind: 'refused'; error: ApiError; message: Message | null }
  /** The uploaded file is gone: files that nothing uses are deleted after a day. */
  | { kind: 'file_gone' }
  /** The message was asked for in another form. */
  | { kind: 'other_form' }
  /** Nothing is known, or nothing can be done now: the same has to be asked again. `isOurs`: it may be for this very item. */
  | { kind: 'trouble'; error: unknown; isOurs: boolean }
  | { kind: 'signed_out' }
  /** Its conversation is part of another one now, where it goes on. */
  | { kind: 'moved' };

/** The request of an item. */
export function bodyOf(item: Kept): SendRequest {
  const { request, file, mediaId, conversationId, messageId, isRetry } = item;
  const body: SendRequest = { ...request, conversation_id: conversationId, message_id: messageId, ...(isRetry && { retry: true }) };
  if (!file || !mediaId) return body;
  return { ...body, message_type: request.message_type ?? file.kind, [file.kind]: { ...request[file.kind], media_id: mediaId } };
}

/** Asks once. */
export async function send(client: Client, item: Kept, signal: AbortSignal): Promise<Outcome> {
  try {
    const reply = await client.post('/api/live-chat/send-message', { body: bodyOf(item), signal });
    return { kind: 'sent', message: 'message' in reply ? reply.message : null };
  } catch (error) {
    return outcomeOf(error, item);
  }
}

/** What a failure means, of a request or of an upload. */
export function outcomeOf(error: unknown, item: Kept): Outcome {
  if (!(error instanceof ApiError)) return { kind: 'trouble', error, isOurs: false };
  const { status, code, field } = error;
  if (status === 401) return { kind: 'signed_out' };
  // A gateway's 502 and our own 500 may come of what the item is; 503 and 504 say that it is the hour.
  if (status === 0 || status === 408 || status === 429 || status >= 500) return { kind: 'trouble', error, isOurs: status === 500 || status === 502 };
  if (code === 'message_id_in_use' && item.others.length > 0) return { kind: 'other_form' };
  if (code === 'invalid_field' && item.file && item.mediaId && field?.endsWith('media_id')) return { kind: 'file_gone' };
  return { kind: 'refused', error, message: error.failed ?? null };
}

/** What the server says no to now, and may say yes to later. */
const MAY_CHANGE: readonly string[] = ['customer_service_window_closed', 'marketing_opted_out', 'too_many_uploads'];

export function errorOfRefusal({ code, message, field, details }: ApiError): OutboxError {
  const reason = details['closed_at'] ?? details['opted_out_at'];
  return { code, message, ...(field !== undefined && { field }), ...(typeof reason === 'string' && { since: reason }), retryable: MAY_CHANGE.includes(code) };
}
