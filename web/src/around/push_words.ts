/** What the page leaves for its service worker: the page knows the agent's language, the service worker does not. */

export interface PushWords {
  readonly untitled: string;
  /** By `message_type`. */
  readonly types: Readonly<Record<string, string>>;
}

export const WORDS_CACHE = 'waba-live-chat notifications';
export const WORDS_URL = '/waba-live-chat/words.json';

export type WorkerLetter = { readonly type: 'open-conversation'; readonly conversationId: number } | { readonly type: 'push-subscription-changed' };
