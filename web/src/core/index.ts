/** The client core of WABA Live Chat. */
export { ApiError, Client, type ClientOptions, type GetAccessToken, type Reply, type RequestOptions } from '../api/client';
export type { Change, Conversation, Message, paths, PhoneNumber } from '../api/types';
export type { Clock, Random } from './clock';
export { createLive, type Live, type LiveEvent, type LiveOptions, type Moment, type State, type Status } from './live';
export { Mirror, type MirrorChange } from './mirror';
