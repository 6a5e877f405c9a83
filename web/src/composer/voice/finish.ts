/** From what the browser recorded to a file of the draft. */
import type { DraftFile } from '../../store/drafts';
import type { Recording } from './recorder';

/** Begun with the recording, so that it is here when that ends. */
export const loadRemux = () => import('./remux');

export async function toVoiceFile({ blob, durationMs, peaks }: Recording): Promise<DraftFile> {
  const id = crypto.randomUUID();
  const essence = blob.type.split(';')[0];
  const shared = { durationMs, peaks, id };
  if (essence === 'audio/mp4') return { ...shared, file: new Blob([blob], { type: 'audio/mp4' }), name: 'voice-message.m4a', kind: 'audio' };
  if (essence === 'audio/ogg') return { ...shared, file: new Blob([blob], { type: 'audio/ogg; codecs=opus' }), name: 'voice-message.ogg', kind: 'audio' };
  const { toOgg } = await loadRemux();
  return { ...shared, file: await toOgg(blob), name: 'voice-message.ogg', kind: 'audio' };
}
