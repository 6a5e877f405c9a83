/** Takes the place of the text while a voice message is recorded. */
import { useLingui } from '@lingui/react/macro';
import { Check, Mic, Pause, SendHorizontal, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useFormat } from '../../i18n/format';
import { IconButton } from '../../ui/button';
import { cn } from '../../ui/cn';
import type { RecorderView } from './recorder';
import type { Voice } from './use_voice';
import { Wave } from './wave';

/** How many levels are drawn; those that are still to come are flat. */
const BARS = 48;

export function VoiceBar({ voice, view, onKeep, onSend }: { voice: Voice; view: RecorderView; /** Ends it, to be listened to first. */ onKeep: () => void; onSend: () => void }) {
  const { t } = useLingui();
  const format = useFormat();
  const bar = useRef<HTMLFieldSetElement>(null);
  // The microphone's button, which had the focus, is gone.
  useEffect(() => bar.current?.focus(), []);
  const isRecording = view.state === 'recording';
  const isStarting = view.state === 'starting';
  const levels = [...Array.from({ length: Math.max(0, BARS - view.levels.length) }, () => 0), ...view.levels].map((level) => Math.min(100, level * 140));
  return (
    <fieldset
      ref={bar}
      tabIndex={-1}
      aria-label={t`Recording a voice message`}
      className="lc:flex lc:min-w-0 lc:grow lc:items-center lc:gap-1 lc:rounded-2xl"
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          voice.cancel();
        } else if (event.key === 'Enter' && event.target === bar.current) onSend();
      }}
    >
      <IconButton label={t`Cancel the recording`} onClick={voice.cancel}>
        <Trash2 />
      </IconButton>
      <span className="lc:flex lc:min-w-0 lc:grow lc:items-center lc:gap-2.5">
        <span aria-hidden className={cn('lc:size-2.5 lc:shrink-0 lc:rounded-full', isRecording ? 'lc:animate-pulse lc:bg-danger' : 'lc:bg-field')} />
        <span role="timer" aria-label={t`Length of the recording`} className="lc:shrink-0 lc:tabular-nums">
          {isStarting ? t`Waiting for the microphone` : format.duration(view.durationMs)}
        </span>
        {!isStarting && <Wave peaks={levels} className="lc:h-8 lc:min-w-0 lc:grow lc:rtl:-scale-x-100" />}
      </span>
      {view.state === 'recording' && (
        <IconButton label={t`Pause`} onClick={voice.pause}>
          <Pause />
        </IconButton>
      )}
      {view.state === 'paused' && (
        <IconButton label={t`Go on recording`} onClick={voice.resume}>
          <Mic />
        </IconButton>
      )}
      {!isStarting && (
        <>
          <IconButton label={t`Stop and listen first`} onClick={onKeep}>
            <Check />
          </IconButton>
          <IconButton label={t`Send the recording`} tone="accent" className="lc:rounded-full!" onClick={onSend}>
            <SendHorizontal className="lc:rtl:-scale-x-100" />
          </IconButton>
        </>
      )}
    </fieldset>
  );
}
