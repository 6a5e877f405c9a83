/** The conversation that is open, or an invitation to open one. What draws it is loaded beside the list's first data. */
import { useEffect, useRef } from 'react';
import { useUi } from '../ui/context';
import { Boundary } from '../ui/boundary';
import { Deferred, preload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { EmptyThread } from './empty_thread';
import type { Place } from './message_list';
import { usePlayer } from './use_player';

const load = async () => (await import('./open_thread')).OpenThread;

export function Thread() {
  const { conversationId, components } = useUi();
  // Here, so that a recording goes on while another conversation is opened, and each is shown again where it was left.
  const player = usePlayer();
  const places = useRef(new Map<number, Place>());
  useEffect(() => {
    void preload(load);
    return () => player.stop();
  }, [player]);
  if (conversationId === null) return components.EmptyThread ? <components.EmptyThread /> : <EmptyThread />;
  return (
    <Boundary of={conversationId}>
      <Deferred key={conversationId} load={load} props={{ conversationId, player, places: places.current }} waiting={<Waiting />} />
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
