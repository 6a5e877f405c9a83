/** WABA Live Chat for React. */
export { ApiError, type GetAccessToken } from './api/client';
export type { Conversation, Message, PhoneNumber } from './api/types';
export { Composer } from './composer/composer';
export { ContactPanel } from './contact/contact_panel';
export type { Status } from './core/live';
export { type Conversations, useConversation, useConversations } from './hooks/conversations';
export { useConnection, usePhoneNumbers, useSend, useUnread } from './hooks/misc';
export { type Thread as ThreadState, useThread } from './hooks/thread';
export type { OwnTexts } from './i18n/i18n';
export { ConversationList } from './list/conversation_list';
export { PhoneNumberSelect } from './list/phone_number_select';
export { LiveChat, type LiveChatHandle, type LiveChatProps } from './live_chat';
export { LiveChatProvider, type LiveChatProviderProps, type Theme } from './provider';
export type { ListParams } from './store/fold';
export type { Outgoing, OutgoingFile, OutboxItem } from './store/outbox';
export { Thread } from './thread/thread';
export type { Components, Features, Ui } from './ui/context';
export { useUi as useLiveChat } from './ui/context';
