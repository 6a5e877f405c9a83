import { useThread } from '../hooks/thread';
import { useUi } from '../ui/context';

export function Thread() {
  const { conversationId } = useUi();
  return conversationId === null ? null : <Messages key={conversationId} conversationId={conversationId} />;
}

function Messages({ conversationId }: { conversationId: number }) {
  const { messages = [], outbox } = useThread(conversationId);
  return (
    <div className="lc:min-h-0 lc:grow lc:overflow-y-auto lc:bg-wall lc:p-4">
      {messages.map((message) => (
        <p key={message.id}>{message.content}</p>
      ))}
      {outbox.map((item) => (
        <p key={item.messageId}>{item.request.message}</p>
      ))}
    </div>
  );
}
