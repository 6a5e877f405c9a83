/** Voice messages in the composer: what happens at the end, and in words what went wrong. */
import { useLingui } from '@lingui/react/macro';
import { useStore } from '../../store/context';
import type { DraftFile } from '../../store/drafts';
import { useUi } from '../../ui/context';
import { useVoice, type Voice } from './use_voice';

export interface VoiceInput extends Voice {
  /** Ends the recording and puts it into the draft, to be listened to. */
  keep(): void;
  /** Ends the recording and sends it. */
  send(): void;
}

export function useVoiceInput(conversationId: number, onSend: (file: DraftFile) => void): VoiceInput {
  const { t } = useLingui();
  const { toast } = useUi();
  const store = useStore();
  const voice = useVoice(conversationId, (problem) => {
    const words = {
      denied: t`The microphone is blocked for this page. Allow it in the browser's settings, beside the address, and try again.`,
      missing: t`There is no microphone.`,
      busy: t`The microphone is used by another program.`,
      unsupported: t`This browser cannot record here.`,
      unpacked: t`The recording could not be prepared. Check the connection and record it again.`,
      too_short: t`That was too short to be a message.`,
    };
    toast({ text: words[problem], tone: problem === 'too_short' ? 'neutral' : 'danger' });
  });
  const end = async (use: (file: DraftFile) => void) => {
    const file = await voice.finish();
    if (file) use(file);
  };
  return {
    ...voice,
    keep: () => void end((file) => store.drafts.set(conversationId, { files: [...store.drafts.get(conversationId).files, file] })),
    send: () => void end(onSend),
  };
}
