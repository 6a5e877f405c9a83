/** The conversation that is open, or an invitation to open one. What draws it is loaded beside the list's first data. */
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useUi } from '../ui/context';
import { Spinner } from '../ui/spinner';
import { EmptyThread } from './empty_thread';
import type { Place } from './message_list';
import { Player } from './player';

const load = () => import('./open_thread');
const OpenThread = lazy(async () => ({ default: (await load()).OpenThread }));
const MiniPlayer = lazy(async () => ({ default: (await load()).MiniPlayer }));

export function Thread() {
  const { conversationId, components } = useUi();
  // Here, so that a recording goes on while another conversation is opened, and each is shown again where it was left.
  const [player] = useState(() => new Player());
  const places = useRef(new Map<number, Place>());
  useEffect(() => {
    // When it fails, opening a conversation tries again.
    load().catch(() => {});
    return () => player.stop();
  }, [player]);
  if (conversationId === null) return components.EmptyThread ? <components.EmptyThread /> : <EmptyThread />;
  return (
    <Suspense
      fallback={
        <div className="lc:grid lc:min-h-0 lc:grow lc:place-items-center lc:bg-wall">
          <Spinner />
        </div>
      }
    >
      <OpenThread key={conversationId} conversationId={conversationId} player={player} places={places.current} miniPlayer={<MiniPlayer player={player} />} />
    </Suspense>
  );
}
