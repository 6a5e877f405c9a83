/** Who the agent writes with. It is loaded when it is first opened. */
import { useConversation } from '../hooks/conversations';
import { useUi } from '../ui/context';
import { Deferred } from '../ui/deferred';

const loadPanel = async () => (await import('./panel')).Panel;

/** Shown while `contactOpen`, for the open conversation. */
export function ContactPanel() {
  const { conversationId, contactOpen, setContactOpen, features } = useUi();
  const conversation = useConversation(conversationId);
  if (!contactOpen || !conversation || features.contactPanel === false) return null;
  return <Deferred key={conversation.id} load={loadPanel} props={{ conversation }} onFail={() => setContactOpen(false)} />;
}
