/** The whole inbox: list, thread, composer and contact panel, side by side where there is room, one at a time where there is not. */
import { Around } from './around';
import { ConversationList } from './list/conversation_list';
import { LiveChatProvider, type LiveChatProviderProps } from './provider';
import { Thread } from './thread/thread';
import { Composer } from './composer/composer';
import { ContactPanel } from './contact/contact_panel';
import { cn } from './ui/cn';
import { useUi } from './ui/context';

export type LiveChatProps = Omit<LiveChatProviderProps, 'children'>;

export function LiveChat(props: LiveChatProps) {
  return (
    <LiveChatProvider {...props}>
      <Inbox />
    </LiveChatProvider>
  );
}

/** Up to 700 px wide the list or the thread is shown; from 1,080 px on there is room for the contact panel beside them. */
function Inbox() {
  const { conversationId, contactOpen } = useUi();
  const isOpen = conversationId !== null;
  return (
    <div className="lc:@container lc:flex lc:h-full lc:flex-col">
      <Around />
      <div className="lc:flex lc:h-full lc:min-h-0 lc:overflow-hidden lc:bg-canvas">
        <div className={cn('lc:flex lc:h-full lc:w-full lc:flex-col lc:border-line lc:bg-surface lc:@min-[700px]:w-[clamp(290px,32%,400px)] lc:@min-[700px]:border-e', isOpen && 'lc:hidden lc:@min-[700px]:flex')}>
          <ConversationList />
        </div>
        <div className={cn('lc:h-full lc:min-w-0 lc:grow lc:flex-col', isOpen ? 'lc:flex' : 'lc:hidden lc:@min-[700px]:flex')}>
          <Thread />
          <Composer />
        </div>
        {isOpen && contactOpen && <ContactPanel />}
      </div>
    </div>
  );
}
