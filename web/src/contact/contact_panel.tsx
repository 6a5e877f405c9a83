/** Who the agent writes with. It is loaded when it is first opened. */
import { lazy, Suspense } from 'react';
import { useConversation } from '../hooks/conversations';
import { useUi } from '../ui/context';

const Panel = lazy(() => import('./panel').then(({ Panel }) => ({ default: Panel })));

/** Shown while `contactOpen`, for the open conversation. */
export function ContactPanel() {
  const { conversationId, contactOpen, features } = useUi();
  const conversation = useConversation(conversationId);
  if (!contactOpen || !conversation || features.contactPanel === false) return null;
  return (
    <Suspense fallback={null}>
      <Panel key={conversation.id} conversation={conversation} />
    </Suspense>
  );
}
