/** What plays while no conversation is open: the list has its controls then. */
import { useSyncExternalStore } from 'react';
import { useUi } from '../ui/context';
import { deferredQuietly } from '../ui/deferred';
import { usePlayer } from './use_player';

const MiniPlayer = deferredQuietly(async () => (await import('./open_thread')).MiniPlayer);

export function NowPlaying() {
  const { conversationId } = useUi();
  const player = usePlayer();
  const isThere = useSyncExternalStore(player.subscribe, () => player.playing() !== null);
  if (conversationId !== null || !isThere) return null;
  return <MiniPlayer player={player} />;
}
