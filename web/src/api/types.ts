/** The API's objects by their names; `schema.d.ts` is generated from openapi.yaml. */
import type { components } from './schema';

export type { paths } from './schema';

type Schemas = components['schemas'];

export type Message = Schemas['Message'];
export type Media = Schemas['Media'];
export type Reaction = Schemas['Reaction'];
export type ReplyTo = Schemas['ReplyTo'];
export type MessageError = Schemas['MessageError'];
export type Snippet = Schemas['Snippet'];
export type Conversation = Schemas['Conversation'];
export type PhoneNumber = Schemas['PhoneNumber'];
export type Change = Schemas['Change'];
export type ChangesReply = Schemas['ChangesReply'];
export type TicketReply = Schemas['TicketReply'];
export type SendRequest = Schemas['SendRequest'];
export type SendReply = Schemas['SendReply'];
export type QuickReply = Schemas['QuickReply'];
export type Template = Schemas['Template'];
export type TemplateObject = Schemas['TemplateObject'];
export type InteractiveObject = Schemas['InteractiveObject'];
export type UploadReply = Schemas['UploadReply'];
