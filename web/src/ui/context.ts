/** What all parts of one mounted page share that is not data: the selection, the language, where dialogs go. */
import { createContext, use } from 'react';
import type { Conversation, Message } from '../api/types';

/** What can be switched off. Everything is on unless it is false here. */
export interface Features {
  readonly search?: boolean;
  readonly bulk?: boolean;
  readonly contactPanel?: boolean;
  readonly palette?: boolean;
  /** Keyboard shortcuts beside those of the form fields; an agent can switch them off too. */
  readonly shortcuts?: boolean;
  readonly sounds?: boolean;
  readonly push?: boolean;
  readonly voice?: boolean;
  readonly attachments?: boolean;
  readonly emoji?: boolean;
  readonly quickReplies?: boolean;
  readonly templates?: boolean;
  readonly interactive?: boolean;
}

/** Parts that a host may draw itself. */
export interface Components {
  readonly Avatar?: (props: { conversation: Conversation }) => React.ReactNode;
  readonly EmptyThread?: () => React.ReactNode;
  readonly ThreadActions?: (props: { conversation: Conversation }) => React.ReactNode;
  readonly MessageActions?: (props: { message: Message }) => React.ReactNode;
  /** Further settings, such as a language's, at the top of the settings dialog. */
  readonly Settings?: () => React.ReactNode;
}

/** What the host wants to be told, and where it wants things. */
export interface Host {
  readonly portalContainer?: HTMLElement | null;
  readonly onUnreadChange?: (unread: number) => void;
  readonly onNotification?: (notification: { conversationId: number; phoneNumberId: string; title: string; body: string | null }) => boolean | void;
  readonly onError?: (error: Error) => void;
  readonly onSessionExpired?: () => void;
}

/** What the composer of the open conversation can be told. */
export interface ComposerHandle {
  /** Puts a text at the cursor. */
  insertText(text: string): void;
  focus(): void;
  openTemplates(): void;
  /** Puts files into the draft, as if they had been dropped on it. */
  addFiles(files: readonly File[]): void;
}

/** What the thread that is shown can be told. */
export interface ThreadHandle {
  readonly conversationId: number;
  /** Shows a message, by its `id`, `message_id` or wamid, and marks it for a moment. */
  jumpTo(message: number | string): void;
  openSearch(): void;
  /** Gives the focus to the message that had it last, else to the newest. */
  focus(): void;
}

/** What a conversation is opened for: its thread takes it once it is there, whenever that is. */
export interface Arrival {
  readonly conversationId: number;
  readonly message?: number | string;
  readonly focus?: 'composer' | 'thread';
}

export interface Toast {
  readonly text: string;
  /** Such as "Undo". */
  readonly action?: { readonly label: string; readonly run: () => void };
  readonly tone?: 'neutral' | 'danger';
  /** How long it stays; 6 seconds unless given. */
  readonly durationMs?: number;
}

export interface Ui {
  /** null: all numbers. */
  readonly phoneNumberId: string | null;
  selectPhoneNumber(id: string | null): void;
  readonly conversationId: number | null;
  /** null closes it. `message` is jumped to. */
  openConversation(id: number | null, options?: { message?: number | string; focus?: 'composer' | 'thread' }): void;
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';
  readonly timeZone: string | undefined;
  readonly features: Features;
  readonly components: Components;
  /** Where dialogs, menus and hints are drawn. */
  readonly portal: HTMLElement | null;
  /** Says something to those who use a screen reader, without moving the focus. */
  announce(text: string): void;
  toast(toast: Toast): void;
  readonly composer: { current: ComposerHandle | null };
  readonly thread: { current: ThreadHandle | null };
  readonly arrival: { current: Arrival | null };
  /** Whether the contact panel is shown beside the thread. */
  readonly contactOpen: boolean;
  setContactOpen(open: boolean): void;
  /** The conversations that the list shows at present, in its order, so far as they are loaded; the list writes it. */
  readonly shownConversations: { current: readonly Conversation[] };
  /** What the host gave last. */
  readonly host: { readonly current: Host };
  readonly serviceWorkerUrl: string | undefined;
}

export const UiContext = createContext<Ui | null>(null);

export function useUi(): Ui {
  const ui = use(UiContext);
  if (!ui) throw new Error('This stands outside of a <LiveChatProvider>');
  return ui;
}

