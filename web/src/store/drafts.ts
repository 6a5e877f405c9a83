/**
 * What an agent has begun to write, by conversation, with its files and what it answers. It is kept on disk, a row a conversation, so that two
 * tabs lose nothing of each other's; a tab shows what was there when it opened, and what was written in it since.
 */
import { ApiError } from '../api/client';
import { thisPage } from '../core/page';
import type { Disk, Write } from './disk';
import { keys } from './keys';
import type { OutgoingFile, Quoted } from './outbox';
import type { Store } from './store';
import { type Whose, whoseOf } from './successors';

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
  readonly replyTo: Quoted | null;
}

export const EMPTY_DRAFT: Draft = { text: '', files: [], replyTo: null };

interface Row extends Draft {
  readonly conversationId: number;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
  /** Whose conversation it is, should that become part of another one. */
  readonly whose?: Whose | null;
}

/** How often it is written to disk while somebody types. */
const PAUSE_MS = 400;
/** Nobody goes on with what is older. */
const KEPT_MS = 30 * 86_400_000;
/** So long after the start most conversations are known, and need not be asked for. */
const LOOKED_AFTER_MS = 15_000;

export class Drafts {
  readonly #store: Store;
  readonly #drafts = new Map<number, Draft>();
  /** What is not on disk yet. */
  readonly #unwritten = new Set<number>();
  /** What was written in this tab, which what is read from disk does not replace. */
  readonly #touched = new Set<number>();
  readonly #whose = new Map<number, Whose>();
  #drafted: ReadonlyMap<number, string> = new Map();
  #forgetWriting: (() => void) | null = null;
  #forgetLooking: (() => void) | null = null;
  #disk: Disk | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The text of each conversation's draft; one with files only has an empty text. */
  get drafted(): ReadonlyMap<number, string> {
    return this.#drafted;
  }

  start(): () => void {
    const run = new AbortController();
    const page = this.#store.options.page ?? thisPage();
    const forget = page.listen((event) => {
      if (event === 'freeze' || (event === 'visibility' && !page.visible)) this.#write();
    });
    void this.#open(run.signal);
    return () => {
      run.abort();
      this.#forgetLooking?.();
      forget();
      this.#write();
      this.#disk = null;
    };
  }

  get(conversationId: number): Draft {
    return this.#drafts.get(conversationId) ?? EMPTY_DRAFT;
  }

  set(conversationId: number, change: Partial<Draft>): void {
    this.#touched.add(conversationId);
    this.#put(conversationId, { ...this.get(conversationId), ...change });
    this.#showDrafted();
    this.#unwritten.add(conversationId);
    if (change.files !== undefined || change.replyTo !== undefined) this.#write();
    else this.#writeSoon(this.get(conversationId).files.length > 0);
  }

  clear(conversationId: number): void {
    this.set(conversationId, EMPTY_DRAFT);
    // What was sent must not be there again, whatever happens next.
    this.#write();
  }

  /** A conversation became part of another one: what was begun goes on there. */
  move(from: number, to: number): void {
    const moved = this.#drafts.get(from);
    if (!moved) return;
    const { text, files, replyTo } = this.get(to);
    this.set(to, { text: [text, moved.text].filter((part) => part !== '').join('\n'), files: [...files, ...moved.files], replyTo: replyTo ?? moved.replyTo });
    this.clear(from);
  }

  /** Whose a conversation is that has a draft. */
  whose(conversationId: number): Whose | null {
    const conversation = this.#store.conversation(conversationId);
    return conversation ? whoseOf(conversation) : (this.#whose.get(conversationId) ?? null);
  }

  /** Forgets what is in memory. */
  forget(): void {
    this.#forgetWriting?.();
    this.#unwritten.clear();
    this.#touched.clear();
    this.#whose.clear();
    for (const id of this.#drafts.keys()) this.#put(id, EMPTY_DRAFT);
    this.#showDrafted();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const disk = await this.#store.disk();
    if (signal.aborted) return;
    this.#disk = disk;
    this.#write();
    const rows = await disk.all<Row>('drafts').catch(() => []);
    if (signal.aborted) return;
    const oldest = this.#store.clock.now() - KEPT_MS;
    for (const { conversationId, at, text, files, replyTo, whose } of rows) {
      if (whose) this.#whose.set(conversationId, whose);
      if (at < oldest) await disk.write([{ shelf: 'drafts', delete: conversationId }]).catch(() => {});
      else if (!this.#touched.has(conversationId)) this.#put(conversationId, { text, files, replyTo });
    }
    this.#showDrafted();
    this.#forgetLooking = this.#store.clock.after(LOOKED_AFTER_MS, () => void this.#lookAfter(signal));
  }

  /** A conversation may have become part of another one while no page was open: nothing tells of that later. */
  async #lookAfter(signal: AbortSignal): Promise<void> {
    const known = new Map(this.#whose);
    for (const [id, whose] of known) {
      if (!this.#drafts.has(id) || this.#store.conversation(id)) continue;
      try {
        await this.#store.load((client, signal) => client.get('/api/live-chat/conversations/{id}', { path: { id }, signal }), () => {}, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status === 404) await this.#store.follow(id, whose).catch(() => {});
      }
    }
  }

  /**
   * At once after a pause, and while somebody types now and then: a page that goes has no time for it. Files are written anew with each
   * letter's text, so with them it waits for the end of typing.
   */
  #writeSoon(hasFiles: boolean): void {
    if (hasFiles) this.#forgetWriting?.();
    else if (this.#forgetWriting) return;
    else this.#write();
    this.#forgetWriting = this.#store.clock.after(PAUSE_MS, () => this.#write());
  }

  #write(): void {
    this.#forgetWriting?.();
    this.#forgetWriting = null;
    const disk = this.#disk;
    if (!disk || this.#unwritten.size === 0) return;
    const at = this.#store.clock.now();
    for (const conversationId of this.#unwritten) {
      const draft = this.#drafts.get(conversationId);
      const whose = this.whose(conversationId);
      const write: Write = draft ? { shelf: 'drafts', put: { ...draft, conversationId, at, whose } } : { shelf: 'drafts', delete: conversationId };
      // A disk that is full keeps the text at least.
      disk.write([write]).catch(() => draft && disk.write([{ shelf: 'drafts', put: { ...draft, files: [], conversationId, at, whose } }]).catch(() => {}));
    }
    this.#unwritten.clear();
  }

  #put(conversationId: number, draft: Draft): void {
    if (draft.text === '' && draft.files.length === 0 && draft.replyTo === null) this.#drafts.delete(conversationId);
    else this.#drafts.set(conversationId, draft);
    this.#store.queries.setQueryData(keys.draft(conversationId), draft);
  }

  #showDrafted(): void {
    const drafted = new Map<number, string>();
    for (const [id, { text, files }] of this.#drafts) {
      if (text !== '' || files.length > 0) drafted.set(id, text);
    }
    const isSame = drafted.size === this.#drafted.size && [...drafted].every(([id, text]) => this.#drafted.get(id) === text);
    if (isSame) return;
    this.#drafted = drafted;
    this.#store.queries.setQueryData(keys.drafted(), drafted);
  }
}
