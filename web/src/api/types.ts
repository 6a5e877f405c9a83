/** The API's objects by their names; `schema.d.ts` is generated from openapi.yaml. */
import type { components, paths as generated } from './schema';

type Schemas = components['schemas'];
type Versioned<T> = T & { version: number };

export type Message = Versioned<Schemas['Message']>;
export type Conversation = Versioned<Schemas['Conversation']>;
export type PhoneNumber = Versioned<Schemas['PhoneNumber']>;

/** What became of one object; a page of `changes` and a frame of the socket have the same form. */
export interface Change {
  type: string;
  /** Of two copies of one object the one with the larger version is newer. */
  version?: number | null;
  /** Where a client that has nothing else may start: some minutes back. */
  cursor?: string | null;
  conversation_id?: number | null;
  /** A message's row. */
  id?: number | null;
  message_id?: string | null;
  phone_number_id?: string | null;
  message?: Message | null;
  conversation?: Conversation | null;
  phone_number?: PhoneNumber | null;
  /** The object was too large for a frame: `changes` has it. */
  truncated?: boolean | null;
}

export interface ChangesReply {
  success: boolean;
  changes: Change[];
  next_cursor: string;
  has_more: boolean;
}

export interface TicketReply {
  success: boolean;
  url: string;
  expires_at: string;
}

interface Json<T> {
  content: { 'application/json': T };
}

/** Every route. */
export type paths = generated & {
  '/api/live-chat/changes': {
    get: { parameters: { query?: { after?: string; limit?: number } }; responses: { 200: Json<ChangesReply> } };
  };
  '/api/live-chat/realtime-ticket': { post: { parameters: object; responses: { 200: Json<TicketReply> } } };
};
