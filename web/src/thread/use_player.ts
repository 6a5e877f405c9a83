import { useStore } from '../store/context';
import type { Store } from '../store/store';
import { Player } from './player';

const players = new WeakMap<Store, Player>();

/** What plays the recordings of this mounted inbox: its thread and its list both show it. */
export function usePlayer(): Player {
  const store = useStore();
  let player = players.get(store);
  if (!player) players.set(store, (player = new Player()));
  return player;
}
