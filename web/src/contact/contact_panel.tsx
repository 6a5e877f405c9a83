/** Who the agent writes with. */
import { useConversation } from '../hooks/conversations';
import { useUi } from '../ui/context';
import { deferredOverlay, usePreload } from '../ui/deferred';

const Panel = deferredOverlay(async () => (await import('./panel')).Panel);

/** Shown while `contactOpen`, for the open conversation. */
export function ContactPanel() {
  const { conversationId, contactOpen, setContactOpen, features } = useUi();
  const conversation = useConversation(conversationId);
  usePreload(Panel);
  if (!contactOpen || !conversation || features.contactPanel === false) return null;
  return <Panel key={conversation.id} conversation={conversation} onClose={() => setContactOpen(false)} />;
}
