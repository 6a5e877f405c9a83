/** What a draft becomes when it is sent: one message a file, in order, and the text as the first one's caption or a message of its own. */
import type { Message } from '../api/types';
import type { Draft, DraftFile } from '../store/drafts';
import type { Outgoing, OutgoingFile } from '../store/outbox';
import { hasLink } from './markup';
import { isBlank, LIMITS, lengthOf } from './limits';

export interface OutgoingMessage {
  readonly request: Outgoing;
  readonly file: OutgoingFile | null;
}

/** The kinds of files that can have a text below them. */
export function takesCaption(kind: OutgoingFile['kind']): boolean {
  return kind === 'image' || kind === 'video' || kind === 'document';
}

/** Whether the draft's text goes below its first file. */
export function isCaption(text: string, files: readonly DraftFile[]): boolean {
  const first = files[0];
  return first !== undefined && takesCaption(first.kind) && lengthOf(text) <= LIMITS.caption;
}

/** How the API names the message that is answered. */
export function replyId(message: Pick<Message, 'message_id' | 'wa_message_id'> | null): string | null {
  return message?.message_id ?? message?.wa_message_id ?? null;
}

export function messagesOf({ text, files, replyTo }: Draft, previewUrl: boolean): readonly OutgoingMessage[] {
  const words = text.trim();
  const isBelow = isCaption(words, files);
  const messages: OutgoingMessage[] = files.map((file, index) => fileMessage(file, index === 0 && isBelow ? words : (file.caption ?? '').trim()));
  if (!isBlank(words) && !isBelow) messages.push({ request: textMessage(words, previewUrl), file: null });
  const answered = replyId(replyTo);
  const [first, ...others] = messages;
  if (!first || answered === null) return messages;
  return [{ ...first, request: { ...first.request, reply_to: answered } }, ...others];
}

function textMessage(text: string, previewUrl: boolean): Outgoing {
  return { message_type: 'text', message: text, ...(hasLink(text) && { preview_url: previewUrl }) };
}

function fileMessage(draft: DraftFile, caption: string): OutgoingMessage {
  const { kind, name, uploaded } = draft;
  const object = {
    ...(uploaded && { media_id: uploaded.mediaId }),
    ...(kind === 'document' && { filename: name }),
    ...(kind === 'audio' && isVoice(draft) && { voice: true }),
    ...(takesCaption(kind) && caption !== '' && { caption }),
  };
  return { request: { message_type: kind, [kind]: object }, file: uploaded ? null : bare(draft) };
}

/** WhatsApp shows Ogg with Opus as a voice note, and nothing else; what has peaks was recorded here. */
function isVoice({ file, peaks }: OutgoingFile): boolean {
  return peaks !== undefined && file.type.startsWith('audio/ogg');
}

/** Without what only the draft needs. */
export function bare({ file, name, kind, width, height, durationMs, peaks }: DraftFile): OutgoingFile {
  return {
    file,
    name,
    kind,
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(durationMs !== undefined && { durationMs }),
    ...(peaks !== undefined && { peaks }),
  };
}
