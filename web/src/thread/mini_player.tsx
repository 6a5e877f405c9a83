/** A recording that goes on while its message is out of sight. */
import { useLingui } from '@lingui/react/macro';
import { Mic, Pause, Play, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useFormat } from '../i18n/format';
import { useUi } from '../ui/context';
import { Rate } from './content/audio';
import type { Player } from './player';

const BUTTON = 'lc:grid lc:size-8 lc:shrink-0 lc:place-items-center lc:rounded-full lc:hover:bg-hover';

export function MiniPlayer({ player }: { player: Player }) {
  const { t } = useLingui();
  const ui = useUi();
  const format = useFormat();
  const playing = useSyncExternalStore(player.subscribe, player.playing);
  if (!playing) return null;
  const { track, state, positionMs, durationMs } = playing;
  return (
    <section aria-label={t`Recording`} className="lc:relative lc:flex lc:h-11 lc:shrink-0 lc:items-center lc:gap-2 lc:border-b lc:border-line lc:bg-surface lc:px-3">
      <button type="button" aria-label={state === 'playing' ? t`Pause` : t`Play`} className={BUTTON} onClick={() => player.toggle(track)}>
        {state === 'playing' ? <Pause aria-hidden className="lc:size-5" /> : <Play aria-hidden className="lc:size-5 lc:rtl:-scale-x-100" />}
      </button>
      <button
        type="button"
        aria-label={t`Show the message from ${track.name}`}
        className="lc:flex lc:min-h-8 lc:min-w-0 lc:grow lc:items-center lc:gap-2 lc:rounded-lg lc:text-start"
        onClick={() => ui.openConversation(track.conversationId, { message: track.key })}
      >
        <Mic aria-hidden className="lc:size-4 lc:shrink-0 lc:text-accent" />
        <bdi className="lc:truncate lc:font-medium">{track.name}</bdi>
        <span className="lc:text-xs lc:text-soft lc:tabular-nums">{`${format.duration(positionMs)} / ${format.duration(durationMs)}`}</span>
      </button>
      <Rate player={player} isShown />
      <button type="button" aria-label={t`Stop`} className={BUTTON} onClick={() => player.stop()}>
        <X aria-hidden className="lc:size-5" />
      </button>
      <div aria-hidden className="lc:absolute lc:start-0 lc:bottom-0 lc:h-0.5 lc:bg-accent" style={{ width: `${durationMs > 0 ? Math.min(100, (positionMs / durationMs) * 100) : 0}%` }} />
    </section>
  );
}
