/** What an agent has begun to write, by conversation, with its files and what it answers. */
import type { Message } from '../api/types';
import type { OutgoingFile } from './outbox';
import { keys } from './keys';
import type { Store } from './store';

export interface DraftFile extends OutgoingFile {
  /** Within the draft. */
  readonly id: string;
  /** The text below it; that of the first is the draft's text. */
  readonly caption?: string;
  /** It was uploaded before, as a quick reply's was; `file` is empty then. */
  readonly uploaded?: { readonly mediaId: string; readonly mimeType: string; readonly size: number };
  /** What it can be sent as instead: as the agent chose it, as a sticker, or as what it was before either. */
  readonly original?: OutgoingFile;
  readonly sticker?: OutgoingFile;
  readonly own?: OutgoingFile;
}

export interface Draft {
  readonly text: string;
  readonly files: readonly DraftFile[];
  /** What it answers, with as much of it as its quote shows. */
  readonly replyTo: Pick<Message, 'id' | 'message_id' | 'wa_message_id' | 'sender' | 'message_type' | 'content' | 'media_caption'> | null;
}

export const EMPTY_DRAFT: Draft = { text: '', files: [], replyTo: null };

export class Drafts {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  start(): () => void {
    return () => {};
  }

  get(conversationId: number): Draft {
    return this.#store.queries.getQueryData<Draft>(keys.draft(conversationId)) ?? EMPTY_DRAFT;
  }

  set(conversationId: number, change: Partial<Draft>): void {
    const draft = { ...this.get(conversationId), ...change };
    this.#store.queries.setQueryData(keys.draft(conversationId), draft);
    const drafted = new Map(this.#store.queries.getQueryData<ReadonlyMap<number, string>>(keys.drafted()));
    if (draft.text === '' && draft.files.length === 0) drafted.delete(conversationId);
    else drafted.set(conversationId, draft.text);
    this.#store.queries.setQueryData(keys.drafted(), drafted);
  }

  clear(conversationId: number): void {
    this.set(conversationId, EMPTY_DRAFT);
  }
}
