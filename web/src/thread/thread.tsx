/** The conversation that is open, or an invitation to open one. What draws it is fetched once the list is drawn, or at once where a conversation is open. */
import { useEffect, useRef } from 'react';
import { Boundary } from '../ui/boundary';
import { useUi } from '../ui/context';
import { deferred, usePreload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { EmptyThread } from './empty_thread';
import type { Place } from './message_list';
import { usePlayer } from './use_player';

const OpenThread = deferred(async () => (await import('./open_thread')).OpenThread, { Waiting, className: 'lc:bg-wall' });

export function Thread() {
  const { conversationId, components } = useUi();
  // Here, so that a recording goes on while another conversation is opened, and each is shown again where it was left.
  const player = usePlayer();
  const places = useRef(new Map<number, Place>());
  usePreload(OpenThread);
  useEffect(() => () => player.stop(), [player]);
  if (conversationId === null) return components.EmptyThread ? <components.EmptyThread /> : <EmptyThread />;
  return (
    <Boundary of={conversationId}>
      <OpenThread conversationId={conversationId} player={player} places={places.current} />
    </Boundary>
  );
}

function Waiting() {
  return (
    <div className="lc:grid lc:min-h-0 lc:grow lc:place-items-center lc:bg-wall">
      <Spinner />
    </div>
  );
}
