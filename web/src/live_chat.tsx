/** The whole inbox: list, thread, composer and contact panel, side by side where there is room, one at a time where there is not. */
import { type Ref, useImperativeHandle } from 'react';
import { Around, InboxFooter } from './around';
import { usePhoneNumbers } from './hooks/misc';
import { ConversationList } from './list/conversation_list';
import { PhoneNumberSelect } from './list/phone_number_select';
import { LiveChatProvider, type LiveChatProviderProps } from './provider';
import { NowPlaying } from './thread/now_playing';
import { Thread } from './thread/thread';
import { Composer } from './composer/composer';
import { ContactPanel } from './contact/contact_panel';
import { Boundary } from './ui/boundary';
import { cn } from './ui/cn';
import { useUi } from './ui/context';

/** What a mounted inbox can be told. */
export interface LiveChatHandle {
  /** Opens a conversation, at one of its messages where that is given (its `id`, `message_id` or wamid); null closes it. */
  openConversation(conversationId: number | null, options?: { message?: number | string; focus?: 'composer' | 'thread' }): void;
  /** Puts a text at the cursor of the open conversation's composer. */
  insertText(text: string): void;
  focusComposer(): void;
}

export interface LiveChatProps extends Omit<LiveChatProviderProps, 'children'> {
  ref?: Ref<LiveChatHandle>;
}

export function LiveChat({ ref, ...props }: LiveChatProps) {
  return (
    <LiveChatProvider {...props}>
      <Inbox hasFooter hasNumbers={props.phoneNumberId === undefined} {...(ref !== undefined && { ref })} />
    </LiveChatProvider>
  );
}

/** `LiveChat` without its provider; `hasFooter`: with the connection's state and the settings below the list, `hasNumbers`: with the choice of the phone number above it, where the page around has neither. Up to 700 px wide the list or the thread is shown; from 1,080 px on there is room for the contact panel beside them. */
export function Inbox({ ref, hasFooter = false, hasNumbers = false }: { ref?: Ref<LiveChatHandle>; hasFooter?: boolean; hasNumbers?: boolean }) {
  const { conversationId, contactOpen, openConversation, composer } = useUi();
  useImperativeHandle(
    ref,
    () => ({
      openConversation,
      insertText: (text) => composer.current?.insertText(text),
      focusComposer: () => composer.current?.focus(),
    }),
    [openConversation, composer],
  );
  const isOpen = conversationId !== null;
  return (
    <div className="lc:@container lc:flex lc:h-full lc:flex-col">
      <Around />
      <div className="lc:relative lc:flex lc:min-h-0 lc:grow lc:overflow-hidden lc:bg-canvas">
        <div className={cn('lc:flex lc:h-full lc:w-full lc:flex-col lc:border-line lc:bg-surface lc:@min-[700px]:w-[clamp(290px,32%,400px)] lc:@min-[700px]:border-e', isOpen && 'lc:hidden lc:@min-[700px]:flex')}>
          {hasNumbers && <Numbers />}
          <Boundary>
            <ConversationList />
          </Boundary>
          <NowPlaying />
          {hasFooter && <InboxFooter />}
        </div>
        <div className={cn('lc:h-full lc:min-w-0 lc:grow lc:flex-col', isOpen ? 'lc:flex' : 'lc:hidden lc:@min-[700px]:flex')}>
          <Thread />
          <Boundary of={conversationId}>
            <Composer />
          </Boundary>
        </div>
        {isOpen && contactOpen && (
          <Boundary of={conversationId}>
            <ContactPanel />
          </Boundary>
        )}
      </div>
    </div>
  );
}

/** Where there is but one number, there is nothing to choose. */
function Numbers() {
  const numbers = usePhoneNumbers();
  if (!numbers || numbers.length < 2) return null;
  return (
    <div className="lc:flex lc:shrink-0 lc:px-2 lc:pt-2">
      <PhoneNumberSelect />
    </div>
  );
}
