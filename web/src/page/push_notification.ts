/** What a push becomes: pure, and the service worker's half of `around/push.ts`. */
import type { PushWords } from '../around/push_words';

export const ENGLISH: PushWords = {
  untitled: 'New message',
  types: { image: 'Photo', video: 'Video', audio: 'Voice message', document: 'Document', sticker: 'Sticker', location: 'Location', contacts: 'Contact', order: 'Order' },
};

export interface Shown {
  readonly title: string;
  /** With what TypeScript's description of it lacks. */
  readonly options: NotificationOptions & { readonly renotify: boolean; readonly timestamp?: number; readonly data: { readonly conversationId: number } };
}

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});
const string = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** null: of a type that is not known there is nothing to show. */
export function toShown(payload: unknown, words: PushWords): Shown | null {
  const { type, conversation_id: id, title, body, message_type: messageType, timestamp } = object(payload);
  if (type !== 'message' || typeof id !== 'number') return null;
  const name = string(title);
  // Without a name nothing is to be shown of the message, not even what kind it is.
  const text = name === null ? null : (string(body) ?? words.types[string(messageType) ?? ''] ?? words.untitled);
  const at = Date.parse(string(timestamp) ?? '');
  return {
    title: name ?? words.untitled,
    options: {
      tag: `waba-live-chat ${id}`,
      // A newer message of the same customer is told again.
      renotify: true,
      ...(text !== null && { body: text }),
      ...(Number.isFinite(at) && { timestamp: at }),
      data: { conversationId: id },
    },
  };
}

export function wordsOf(kept: unknown): PushWords {
  const { untitled, types } = object(kept);
  const texts = Object.entries(object(types)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { untitled: string(untitled) ?? ENGLISH.untitled, types: { ...ENGLISH.types, ...Object.fromEntries(texts) } };
}
