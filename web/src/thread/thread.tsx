/** The conversation that is open, or an invitation to open one. What draws it is fetched once the list is drawn, or at once where a conversation is open. */
import { useEffect, useRef, useState } from 'react';
import { useUi } from '../ui/context';
import { deferred, deferredQuietly, usePreload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { EmptyThread } from './empty_thread';
import type { Place } from './message_list';
import { Player } from './player';

const OpenThread = deferred(async () => (await import('./open_thread')).OpenThread, { Waiting, className: 'lc:bg-wall' });
const MiniPlayer = deferredQuietly(async () => (await import('./open_thread')).MiniPlayer);

export function Thread() {
  const { conversationId, components } = useUi();
  // Here, so that a recording goes on while another conversation is opened, and each is shown again where it was left.
  const [player] = useState(() => new Player());
  const places = useRef(new Map<number, Place>());
  usePreload(OpenThread, MiniPlayer);
  useEffect(() => () => player.stop(), [player]);
  if (conversationId === null) return components.EmptyThread ? <components.EmptyThread /> : <EmptyThread />;
  return <OpenThread key={conversationId} conversationId={conversationId} player={player} places={places.current} miniPlayer={<MiniPlayer player={player} />} />;
}

function Waiting() {
  return (
    <div className="lc:grid lc:min-h-0 lc:grow lc:place-items-center lc:bg-wall">
      <Spinner />
    </div>
  );
}
