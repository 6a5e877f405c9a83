/** A layout of one's own, from the parts, with a bar that is drawn by the hooks. */
import { Composer, ConversationList, LiveChatProvider, PhoneNumberSelect, Thread, useConnection, useConversation, useLiveChat, useSend, useUnread } from '@waba-live-chat/web';
import '@waba-live-chat/web/styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { getAccessToken } from '../agent';

function Bar() {
  const { state } = useConnection();
  const unread = useUnread();
  return (
    <div className="desk-bar">
      <PhoneNumberSelect />
      <output id="state">
        {state}, {unread} unread
      </output>
      <Thanks />
    </div>
  );
}

/** Sends by the hook alone: it is kept and sent as what is typed in the composer is. */
function Thanks() {
  const { conversationId } = useLiveChat();
  const conversation = useConversation(conversationId);
  return conversation ? <ThankButton conversationId={conversation.id} name={conversation.customer_name ?? ''} /> : null;
}

function ThankButton({ conversationId, name }: { conversationId: number; name: string }) {
  const send = useSend(conversationId);
  return (
    <button type="button" onClick={() => void send({ message_type: 'text', message: `Thank you, ${name}!` })}>
      Thank {name}
    </button>
  );
}

const app = document.getElementById('app');
if (app) {
  createRoot(app).render(
    <StrictMode>
      <LiveChatProvider apiUrl="" getAccessToken={getAccessToken} className="desk" theme="light" locale="en">
        <div className="desk-columns">
          <Bar />
          <div className="desk-list">
            <ConversationList />
          </div>
          <div className="desk-thread">
            <Thread />
            <Composer />
          </div>
        </div>
      </LiveChatProvider>
    </StrictMode>,
  );
}
