import type { Conversation } from '../api/types';

const KINDS = ['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'template', 'button', 'order', 'system', 'unsupported'] as const;

export type PreviewKind = (typeof KINDS)[number] | 'deleted' | 'none';

/** Those whose message always has words: without any, it was deleted. */
const WORDY: readonly PreviewKind[] = ['text', 'location', 'contacts', 'interactive', 'template', 'button', 'order'];
const LONGEST = 240;
const COORDINATES = /^-?\d+(\.\d+)?,\s?-?\d+(\.\d+)?$/;

/** What the last message of a conversation is, and its own words on one line, if it has any. */
export function previewOf({ last_message, last_message_type, last_message_time }: Conversation): { kind: PreviewKind; text: string } {
  if (!last_message_type && !last_message) return { kind: last_message_time ? 'deleted' : 'none', text: '' };
  const kind = KINDS.find((known) => known === last_message_type) ?? (last_message ? 'text' : 'unsupported');
  const text = oneLine(last_message ?? '');
  if (text === '' && WORDY.includes(kind)) return { kind: 'deleted', text };
  // A place without a name is told by its numbers, which say nothing to people.
  if (kind === 'location' && COORDINATES.test(text)) return { kind, text: '' };
  return { kind, text };
}

export function oneLine(text: string): string {
  const line = text.slice(0, LONGEST * 2).replace(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
