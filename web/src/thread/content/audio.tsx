/** A recording: its waveform where there is one, where it is, how long, how fast. What plays it stands outside of the rows. */
import { useLingui } from '@lingui/react/macro';
import { Mic, Music, Pause, Play, TriangleAlert } from 'lucide-react';
import { type KeyboardEvent, memo, type PointerEvent, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { Message } from '../../api/types';
import { mediaLink } from '../../hooks/media';
import { useStore } from '../../store/context';
import { cn } from '../../ui/cn';
import { useUi } from '../../ui/context';
import { Spinner } from '../../ui/spinner';
import type { Player, Playing, Track } from '../player';
import { keyOf } from '../rows';
import { useView } from '../view';
import { absenceOf, MediaState } from './media_state';

export const Audio = memo(function Audio({ message, file }: { message: Message; file: Blob | null }) {
  const { t } = useLingui();
  const { player, customer, format } = useView();
  const store = useStore();
  const fileRef = useRef(file);
  if (file) fileRef.current = file;
  const latest = useRef(message);
  useEffect(() => {
    latest.current = message;
  });
  const key = keyOf(message);
  const name = message.sender === 'customer' ? customer : t`You`;
  const track = useMemo<Track>(
    () => ({
      key,
      conversationId: message.conversation_id,
      name,
      durationMs: message.media?.duration_ms ?? null,
      link: (isAnother) => (fileRef.current ? Promise.resolve(URL.createObjectURL(fileRef.current)) : mediaLink(store, latest.current, isAnother)),
    }),
    [key, message.conversation_id, name, message.media?.duration_ms, store],
  );
  const playing = usePlaying(player, key);
  const absence = absenceOf(message);
  if (absence) return <MediaState message={message} absence={absence} className="lc:w-64" />;
  const durationMs = playing?.durationMs || (message.media?.duration_ms ?? 0);
  const state = playing?.state;
  const Kind = message.media?.voice ? Mic : Music;
  return (
    <div className="lc:flex lc:w-72 lc:max-w-full lc:items-center lc:gap-2.5 lc:py-1">
      <button
        type="button"
        aria-label={state === 'playing' ? t`Pause` : t`Play`}
        className="lc:grid lc:size-10 lc:shrink-0 lc:place-items-center lc:rounded-full lc:bg-accent lc:text-on-accent lc:hover:opacity-90"
        onClick={() => player.toggle(track)}
      >
        {state === 'loading' ? <Spinner label={t`Loading`} /> : state === 'playing' ? <Pause aria-hidden className="lc:size-5" /> : <Play aria-hidden className="lc:size-5 lc:rtl:-scale-x-100" />}
      </button>
      <div className="lc:flex lc:min-w-0 lc:grow lc:flex-col lc:gap-0.5">
        <Seek label={message.media?.voice ? t`Position in the voice message` : t`Position in the recording`} peaks={message.media?.peaks ?? null} positionMs={playing?.positionMs ?? 0} durationMs={durationMs} onSeek={(ms) => player.seek(track, ms)} />
        <div className="lc:flex lc:items-center lc:gap-1.5 lc:text-xs lc:text-soft">
          {state === 'failed' ? (
            <span className="lc:flex lc:items-center lc:gap-1 lc:text-danger">
              <TriangleAlert aria-hidden className="lc:size-3.5" />
              {t`It cannot be played.`}
            </span>
          ) : (
            <>
              <Kind aria-hidden className="lc:size-3.5" />
              <span className="lc:tabular-nums">{playing && playing.positionMs > 0 ? `${format.duration(playing.positionMs)} / ${format.duration(durationMs)}` : durationMs > 0 ? format.duration(durationMs) : '–:––'}</span>
            </>
          )}
        </div>
      </div>
      <Rate player={player} isShown={playing !== null} />
    </div>
  );
});

/** Of one message: so that only its row is drawn as its recording goes on. */
export function usePlaying(player: Player, key: string): Playing | null {
  const of = useCallback(() => {
    const playing = player.playing();
    return playing?.track.key === key ? playing : null;
  }, [player, key]);
  return useSyncExternalStore(player.subscribe, of);
}

export function Rate({ player, isShown }: { player: Player; isShown: boolean }) {
  const { t } = useLingui();
  const { locale } = useUi();
  const rate = useSyncExternalStore(player.subscribe, player.rate);
  const shown = useMemo(() => new Intl.NumberFormat(locale), [locale]).format(rate);
  return (
    <button
      type="button"
      aria-label={t`Speed: ${shown} times`}
      className={cn('lc:h-6 lc:min-w-10 lc:shrink-0 lc:rounded-full lc:bg-quote lc:px-2 lc:text-center lc:text-xs lc:font-semibold lc:hover:bg-hover', !isShown && 'lc:invisible')}
      onClick={() => player.nextRate()}
    >
      {t`${shown}×`}
    </button>
  );
}

const STEP_MS = 5_000;
/** As many bars as there is room for in the row's width. */
const BARS = 44;

export function barsOf(peaks: readonly number[] | null, count = BARS): readonly number[] {
  if (!peaks || peaks.length === 0) return Array.from({ length: count }, () => 0);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    return Math.max(...peaks.slice(from, to).map((peak) => Math.min(100, Math.max(0, peak))));
  });
}

/** By pointer anywhere in it, by arrow keys 5 seconds a time. */
function Seek({ label, peaks, positionMs, durationMs, onSeek }: { label: string; peaks: readonly number[] | null; positionMs: number; durationMs: number; onSeek: (ms: number) => void }) {
  const { dir } = useUi();
  const { format } = useView();
  const bars = useMemo(() => barsOf(peaks), [peaks]);
  const part = durationMs > 0 ? Math.min(1, positionMs / durationMs) : 0;
  const seek = (event: PointerEvent<HTMLDivElement>) => {
    if (durationMs === 0 || (event.type === 'pointermove' && event.buttons !== 1)) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    const at = Math.min(1, Math.max(0, (event.clientX - left) / width));
    onSeek((dir === 'rtl' ? 1 - at : at) * durationMs);
  };
  const step = (event: KeyboardEvent) => {
    const forward = dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    const back = dir === 'rtl' ? 'ArrowRight' : 'ArrowLeft';
    const to = event.key === forward ? positionMs + STEP_MS : event.key === back ? positionMs - STEP_MS : event.key === 'Home' ? 0 : null;
    if (to === null || durationMs === 0) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(Math.min(durationMs, Math.max(0, to)));
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1000)}
      aria-valuenow={Math.round(positionMs / 1000)}
      aria-valuetext={format.duration(positionMs)}
      className="lc:h-7 lc:cursor-pointer lc:touch-none lc:rounded-sm"
      onPointerDown={seek}
      onPointerMove={seek}
      onKeyDown={step}
    >
      <svg aria-hidden viewBox={`0 0 ${BARS * 4} 28`} preserveAspectRatio="none" className="lc:size-full lc:rtl:-scale-x-100">
        {bars.map((bar, index) => {
          const height = Math.max(3, (bar / 100) * 26);
          return (
            <rect key={index} x={index * 4} y={14 - height / 2} width={2.4} height={height} rx={1.2} className={index / BARS < part ? 'lc:fill-accent' : 'lc:fill-field'} />
          );
        })}
      </svg>
    </div>
  );
}
