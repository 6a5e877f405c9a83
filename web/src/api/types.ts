/** The API's objects by their names; `schema.d.ts` is generated from openapi.yaml. */
import type { components } from './schema';

export type { paths } from './schema';

type Schemas = components['schemas'];

export type Message = Schemas['Message'];
export type Conversation = Schemas['Conversation'];
export type PhoneNumber = Schemas['PhoneNumber'];
export type Change = Schemas['Change'];
export type ChangesReply = Schemas['ChangesReply'];
export type TicketReply = Schemas['TicketReply'];
