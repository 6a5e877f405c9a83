/** A recording before it is sent, to be listened to. */
import { useLingui } from '@lingui/react/macro';
import { Pause, Play } from 'lucide-react';
import { useRef, useState } from 'react';
import { useFormat } from '../../i18n/format';
import type { OutgoingFile } from '../../store/outbox';
import { IconButton } from '../../ui/button';
import { useObjectUrl } from '../files/object_url';
import { Wave } from './wave';

export function VoicePreview({ file }: { file: OutgoingFile }) {
  const { t } = useLingui();
  const format = useFormat();
  const url = useObjectUrl(file.file);
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const length = (file.durationMs ?? 0) / 1000;
  const time = format.duration(at > 0 ? at * 1000 : (file.durationMs ?? 0));
  return (
    <>
      <IconButton
        label={isPlaying ? t`Pause` : t`Play the recording`}
        onClick={() => (isPlaying ? audio.current?.pause() : void audio.current?.play().catch(() => setPlaying(false)))}
      >
        {isPlaying ? <Pause /> : <Play />}
      </IconButton>
      <label className="lc:relative lc:flex lc:h-9 lc:min-w-0 lc:grow lc:items-center lc:rounded-md lc:focus-within:outline-2 lc:focus-within:outline-accent">
        <Wave peaks={file.peaks ?? []} played={length > 0 ? at / length : 0} className="lc:h-8 lc:w-full lc:rtl:-scale-x-100" />
        <input
          type="range"
          aria-label={t`Position in the recording`}
          aria-valuetext={time}
          min={0}
          max={length}
          step={0.1}
          value={Math.min(at, length)}
          onChange={(event) => {
            if (!audio.current) return;
            audio.current.currentTime = Number(event.target.value);
            setAt(Number(event.target.value));
          }}
          className="lc:absolute lc:inset-0 lc:size-full lc:cursor-pointer lc:opacity-0"
        />
      </label>
      <span className="lc:w-10 lc:shrink-0 lc:text-end lc:text-xs lc:tabular-nums lc:text-soft">{time}</span>
      {/* The agent's own words, just spoken: there is nothing to caption. */}
      <audio
        ref={audio}
        src={url}
        preload="auto"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onEnded={() => setAt(0)}
      />
    </>
  );
}
