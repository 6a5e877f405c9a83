/** Recording within the composer of one conversation. What was recorded is kept as a draft when the agent leaves. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { useStore } from '../../store/context';
import type { DraftFile } from '../../store/drafts';
import { loadRemux, toVoiceFile } from './finish';
import { MicrophoneError, type MicrophoneProblem, Recorder, type RecorderView } from './recorder';

/** Shorter ones are slips of the finger. */
const SHORTEST_MS = 500;

export interface Voice {
  /** null while nothing is recorded. */
  readonly view: RecorderView | null;
  /** Whether a recording is being packed. */
  readonly isPacking: boolean;
  start(): void;
  pause(): void;
  resume(): void;
  cancel(): void;
  /** The file; null where there is none, of which the agent was told. */
  finish(): Promise<DraftFile | null>;
}

export function useVoice(conversationId: number, onProblem: (problem: MicrophoneProblem | 'unpacked' | 'too_short') => void): Voice {
  const store = useStore();
  const recorder = useRef<Recorder | null>(null);
  const [view, setView] = useState<RecorderView | null>(null);
  const [isPacking, setPacking] = useState(false);
  const latest = useRef(onProblem);
  useEffect(() => {
    latest.current = onProblem;
  });

  useEffect(
    () => () => {
      const left = recorder.current;
      recorder.current = null;
      void left
        ?.finish()
        .then((recording) => (recording && recording.durationMs >= SHORTEST_MS ? toVoiceFile(recording) : null))
        .then((file) => file && store.drafts.set(conversationId, { files: [...store.drafts.get(conversationId).files, file] }))
        // Nobody is there any more to be told.
        .catch(() => {});
    },
    [store, conversationId],
  );

  const start = useCallback(() => {
    if (recorder.current) return;
    const next = new Recorder((view) => recorder.current === next && setView(view));
    recorder.current = next;
    setView({ state: 'starting', durationMs: 0, levels: [] });
    // It is needed at the end, when there may be no network any more; where it fails, that is told then.
    loadRemux().catch(() => {});
    next.start().catch((cause: unknown) => {
      if (recorder.current !== next) return;
      recorder.current = null;
      setView(null);
      latest.current(cause instanceof MicrophoneError ? cause.problem : 'unsupported');
    });
  }, []);

  const cancel = useCallback(() => {
    recorder.current?.cancel();
    recorder.current = null;
    setView(null);
  }, []);

  const finish = useCallback(async () => {
    const ending = recorder.current;
    if (!ending) return null;
    recorder.current = null;
    setView(null);
    setPacking(true);
    try {
      const recording = await ending.finish();
      if (!recording || recording.durationMs < SHORTEST_MS) {
        latest.current('too_short');
        return null;
      }
      return await toVoiceFile(recording);
    } catch {
      latest.current('unpacked');
      return null;
    } finally {
      setPacking(false);
    }
  }, []);

  return {
    view,
    isPacking,
    start,
    pause: useCallback(() => recorder.current?.pause(), []),
    resume: useCallback(() => recorder.current?.resume(), []),
    cancel,
    finish,
  };
}
