/**
 * What was written and is not sent yet. An item is kept on disk before anything else, and stays there until the server has it.
 *
 * - One tab of the browser sends, whichever has the lock; the others tell it, and hear how it goes.
 * - In a conversation one item goes after the other, in the order of writing. What the server refuses steps aside, and waits for the agent; any
 *   other trouble keeps its place, and what follows waits too.
 * - Every try asks for the same under the same `message_id`, so that the server sends it once.
 * - Whether a window is open, the server decides: an item that comes too late fails with its code.
 */
import { ApiError } from '../api/client';
import type { Message } from '../api/types';
import { backoff, Patience } from '../core/clock';
import { type Page, thisPage } from '../core/page';
import type { Disk, Write } from './disk';
import { keys } from './keys';
import { Leadership } from './leadership';
import { asPending, type Entry, itemOf, type Letter, type Outgoing, type OutgoingFile, type OutboxItem, type OutboxTotals, type Quoted, type Sent } from './outbox_items';
import { rebuild } from './rebuild';
import { bodyOf, errorOfRefusal, type Kept, type Outcome, outcomeOf, send } from './sending';
import type { Store } from './store';
import { type Whose, whoseOf } from './successors';

export type { OutboxError, OutboxItem, OutboxTotals, Outgoing, OutgoingFile, Quoted } from './outbox_items';

const NOTHING: readonly OutboxItem[] = [];
/** Conversations that are served at the same time. */
const MOST_AT_ONCE = 4;
/** After so many answers that may be of its own making an item steps aside: some six minutes. */
const MOST_TRIES = 12;
/** How long sent requests are kept. */
const SENT_MS = 7 * 86_400_000;
const SIGNED_OUT_MS = 30_000;
const PROGRESS_STEP = 0.02;

export class Outbox {
  readonly #store: Store;
  readonly #page: Page;
  readonly #patience: Patience;
  readonly #entries = new Map<string, Entry>();
  readonly #shown = new Map<number, readonly OutboxItem[]>();
  /** The conversations that are being served, and what ends that. */
  readonly #active = new Map<number, { messageId: string; stop: AbortController }>();
  /** The conversations that wait after a failure, how many there were in a row, and what ends the wait. */
  readonly #waits = new Map<number, () => void>();
  readonly #failures = new Map<number, number>();
  readonly #tries = new Map<string, number>();
  /** How it stands with items that this tab has not read yet. */
  readonly #heardOf = new Map<string, Pick<Entry, 'state' | 'progress'>>();
  readonly #retries = new Map<string, { resolve: (message: Message | null) => void; reject: (error: Error) => void }>();
  #disk: Disk | null = null;
  #tabs: Leadership<Letter> | null = null;
  #unwritten: Promise<unknown> = Promise.resolve();
  #pause: (() => void) | null = null;
  #totals: OutboxTotals = { queued: 0, failed: 0 };

  constructor(store: Store) {
    this.#store = store;
    this.#page = store.options.page ?? thisPage();
    this.#patience = new Patience(store.clock, store.random);
  }

  /** The items of a conversation, in the order of sending. */
  of(conversationId: number): readonly OutboxItem[] {
    return this.#shown.get(conversationId) ?? NOTHING;
  }

  get totals(): OutboxTotals {
    return this.#totals;
  }

  start(): () => void {
    const run = new AbortController();
    const forget = this.#page.listen((event) => {
      if (event === 'online' || event === 'visibility') this.#hurry();
    });
    void this.#open(run.signal);
    return () => {
      run.abort();
      forget();
      this.#rest();
      this.#tabs?.leave();
      this.#tabs = null;
      this.#disk = null;
    };
  }

  /** Resolves once it is kept: from then on it is sent, whatever happens to the tab. */
  async send(conversationId: number, request: Outgoing, file: OutgoingFile | null = null, quoted: Quoted | null = null): Promise<OutboxItem> {
    const conversation = this.#store.conversation(conversationId);
    const kept: Kept = {
      seq: Number.POSITIVE_INFINITY,
      messageId: crypto.randomUUID(),
      conversationId,
      request,
      others: [],
      file,
      mediaId: null,
      createdAt: new Date(this.#store.clock.now()).toISOString(),
      error: null,
      isRetry: false,
      quoted,
      whose: conversation ? whoseOf(conversation) : null,
    };
    this.#store.typing.ended(conversationId);
    return itemOf(await this.#keep(kept));
  }

  /**
   * Tries a failed item, or a message that failed at WhatsApp, again under its own id. That of a message resolves once the server has taken it,
   * and rejects with an `ApiError` where it does not: `cannot_resend` where this browser does not have what was sent.
   */
  async retry(messageId: string): Promise<void> {
    const entry = this.#entries.get(messageId);
    if (entry) {
      if (!entry.kept.error) return;
      this.#tries.delete(messageId);
      await this.#change(entry, { error: null });
      this.#hurry();
      this.#tabs?.tell({ kind: 'wake' });
      return;
    }
    const message = this.#store.message(messageId);
    const sent = await (await this.#store.disk()).get<Sent>('requests', messageId);
    const [request, ...others] = sent ? [sent.request] : message ? rebuild(message) : [];
    const conversationId = message?.conversation_id ?? sent?.conversationId;
    if (!request || conversationId === undefined) throw new ApiError(0, { code: 'cannot_resend', message: 'What was sent is not known in this browser' });
    const createdAt = new Date(this.#store.clock.now()).toISOString();
    const kept: Kept = { seq: Number.POSITIVE_INFINITY, messageId, conversationId, request, others, file: null, mediaId: null, createdAt, error: null, isRetry: true };
    const done = new Promise<Message | null>((resolve, reject) => this.#retries.set(messageId, { resolve, reject }));
    done.catch(() => {});
    await this.#keep(kept);
    if (!message) return void (await done);
    await this.#store.changeMessage(message, asPending, () => done, (shown, answer) => answer ?? shown);
  }

  /** Takes back what is not sent yet; one that is just being sent is not stopped. */
  async discard(messageId: string): Promise<void> {
    const entry = this.#entries.get(messageId);
    if (!entry || entry.state === 'sending') return;
    this.#forget(messageId);
    this.#tabs?.tell({ kind: 'gone', messageId, message: null, error: null });
    if (this.#active.get(entry.kept.conversationId)?.messageId === messageId) this.#active.get(entry.kept.conversationId)?.stop.abort();
    await this.#unwritten;
    await this.#disk?.write([{ shelf: 'outbox', delete: entry.kept.seq }]);
    this.#pump();
  }

  /** A conversation became part of another one: what is not sent yet goes there. */
  move(from: number, to: number): void {
    const active = this.#active.get(from);
    if (active && !this.#active.has(to)) {
      this.#active.delete(from);
      this.#active.set(to, active);
    }
    this.#waits.get(from)?.();
    this.#waits.delete(from);
    for (const entry of this.#entries.values()) {
      const { kept } = entry;
      if (kept.conversationId !== from) continue;
      // Where that was all that was wrong with it.
      const error = kept.error?.code === 'not_found' ? null : kept.error;
      this.#change(entry, { conversationId: to, error }).catch(() => {});
    }
    this.#show(from);
    this.#pump();
  }

  /** Whose a conversation is that something waits for. */
  whose(conversationId: number): Whose | null {
    return [...this.#entries.values()].find(({ kept }) => kept.conversationId === conversationId && kept.whose)?.kept.whose ?? null;
  }

  /** The first that was given up, of whichever conversation. */
  get failed(): OutboxItem | undefined {
    const entry = this.#inOrder().find(({ kept }) => kept.error !== null);
    return entry && itemOf(entry);
  }

  /** The server has this message. */
  settle(message: Message): void {
    const entry = message.message_id ? this.#entries.get(message.message_id) : undefined;
    // Of one that is sent again the server has had the row all along.
    if (!entry || entry.kept.isRetry) return;
    void this.#finish(entry, { message, error: null });
  }

  /** The connection is now in this state: what waits for a network or a session may go on. */
  wake(state: 'connecting' | 'live' | 'offline' | 'session_expired'): void {
    if (state === 'live' || (state === 'connecting' && this.#pause)) this.#hurry();
  }

  /** Forgets all, here and in the other tabs; the disk is cleared by the store. */
  clear(): void {
    this.#tabs?.tell({ kind: 'cleared' });
    this.forget();
  }

  /** Forgets what is in memory. */
  forget(): void {
    this.#rest();
    const conversations = [...this.#shown.keys()];
    this.#entries.clear();
    for (const { reject } of this.#retries.values()) reject(new ApiError(0, { code: 'cannot_resend', message: 'The user signed out' }));
    this.#retries.clear();
    for (const id of conversations) this.#show(id);
  }

  async #open(signal: AbortSignal): Promise<void> {
    const disk = await this.#store.disk();
    if (signal.aborted) return;
    this.#disk = disk;
    const { name } = this.#store;
    this.#tabs = new Leadership<Letter>(name === null || !disk.isShared ? null : `${name} outbox`, this.#store.browser, this.#store.clock, this.#page, {
      lead: () => void this.#read().then(() => this.#pump()),
      follow: () => this.#rest(),
      heard: (letter) => this.#heard(letter),
    });
    await this.#read();
    this.#tabs?.tell({ kind: 'ask' });
    this.#pump();
    const old = this.#store.clock.now() - SENT_MS;
    const sent = await disk.all<Sent>('requests');
    await disk.write(sent.filter(({ at }) => at < old).map(({ messageId }) => ({ shelf: 'requests', delete: messageId })));
  }

  /** Takes over what stands on the disk. */
  async #read(): Promise<void> {
    const disk = this.#disk;
    if (!disk) return;
    await this.#unwritten;
    const all = await disk.all<Kept>('outbox').catch(() => null);
    if (!all || disk !== this.#disk) return;
    const there = new Set(all.map(({ messageId }) => messageId));
    const changed = new Set<number>();
    for (const kept of all) {
      const known = this.#entries.get(kept.messageId);
      changed.add(kept.conversationId);
      // The file stays the same object, and what shows it as it is.
      if (known) {
        changed.add(known.kept.conversationId);
        this.#replace(known, { ...kept, file: known.kept.file });
      }
      else this.#entries.set(kept.messageId, { kept, isShared: true, item: null, ...(this.#heardOf.get(kept.messageId) ?? { state: 'queued', progress: 0 }) });
    }
    this.#heardOf.clear();
    for (const [id, { kept, isShared }] of this.#entries) {
      if (!isShared || there.has(id) || kept.seq === Number.POSITIVE_INFINITY) continue;
      this.#entries.delete(id);
      changed.add(kept.conversationId);
    }
    for (const id of changed) this.#show(id);
  }

  async #keep(kept: Kept): Promise<Entry> {
    const entry: Entry = { kept, isShared: true, state: 'queued', progress: 0, item: null };
    this.#entries.set(kept.messageId, entry);
    this.#show(kept.conversationId);
    const { seq: _, ...value } = kept;
    // One after the other: the database numbers them as they come.
    const written = this.#unwritten.then(async () => {
      const disk = await this.#store.disk();
      try {
        entry.kept = { ...entry.kept, seq: await disk.add('outbox', value) };
        entry.isShared = disk.isShared;
      } catch {
        // Such as a disk that is full: it lives as long as the tab.
        entry.isShared = false;
        entry.kept = { ...entry.kept, seq: Number.MAX_SAFE_INTEGER };
        return;
      }
      // Somebody may have taken it back meanwhile.
      if (this.#entries.get(kept.messageId) !== entry) await disk.write([{ shelf: 'outbox', delete: entry.kept.seq }]);
    });
    this.#unwritten = written.catch(() => {});
    await written;
    this.#tabs?.tell({ kind: 'kept' });
    this.#pump();
    return entry;
  }

  async #change(entry: Entry, change: Partial<Kept>): Promise<void> {
    this.#replace(entry, { ...entry.kept, ...change });
    this.#show(entry.kept.conversationId);
    if (entry.isShared) await this.#disk?.change<Kept>('outbox', entry.kept.seq, (kept) => ({ ...kept, ...change }));
    this.#tabs?.tell({ kind: 'kept' });
  }

  #replace(entry: Entry, kept: Kept): void {
    entry.kept = kept;
    entry.item = null;
  }

  #heard(letter: Letter): void {
    switch (letter.kind) {
      case 'kept':
        return void this.#read().then(() => this.#pump());
      case 'wake':
        return this.#hurry();
      case 'ask':
        return this.#tellStates();
      case 'cleared':
        return this.forget();
      case 'gone': {
        const { messageId, message, error } = letter;
        this.#heardOf.delete(messageId);
        this.#forget(messageId);
        if (message) this.#store.putNewMessage(message);
        this.#answerRetry(messageId, message, error ? new ApiError(error.status, error.details) : null);
        return this.#pump();
      }
      case 'state': {
        const { messageId, state, progress } = letter;
        const entry = this.#entries.get(messageId);
        if (!entry) this.#heardOf.set(messageId, { state, progress });
        else if (!this.#isActive(messageId)) this.#setState(entry, state, progress);
      }
    }
  }

  /** Begins what can begin. */
  #pump(): void {
    const disk = this.#disk;
    if (!disk || this.#pause || !this.#page.online) return;
    const left = this.#patience.left;
    const seen = new Set<number>();
    for (const entry of this.#inOrder()) {
      const { kept, isShared } = entry;
      if (kept.error || kept.seq === Number.POSITIVE_INFINITY || seen.has(kept.conversationId)) continue;
      seen.add(kept.conversationId);
      if (this.#isActive(kept.messageId)) continue;
      if (isShared && !this.#tabs?.isLeader) continue;
      if (this.#active.has(kept.conversationId) || this.#waits.has(kept.conversationId)) continue;
      if (left > 0) return this.#pauseFor(left);
      if (this.#active.size >= MOST_AT_ONCE) return;
      void this.#serve(entry);
    }
  }

  async #serve(entry: Entry): Promise<void> {
    const { messageId, conversationId } = entry.kept;
    const stop = new AbortController();
    this.#active.set(conversationId, { messageId, stop });
    const outcome = await this.#try(entry, stop.signal).catch((error: unknown): Outcome => ({ kind: 'trouble', error, isOurs: true }));
    // It may have moved.
    for (const [id, active] of this.#active) if (active.stop === stop) this.#active.delete(id);
    if (this.#entries.get(messageId) === entry) {
      if (stop.signal.aborted) this.#tellState(entry, 'queued');
      else await this.#take(entry, outcome).catch(() => this.#wait(entry, null, false));
    }
    this.#pump();
  }

  async #try(entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { file } = entry.kept;
    if (file && !entry.kept.mediaId) {
      this.#tellState(entry, 'uploading');
      let told = 0;
      const onProgress = (progress: number) => {
        if (progress - told < PROGRESS_STEP && progress < 1) return;
        told = progress;
        this.#tellState(entry, 'uploading', progress);
      };
      try {
        const mediaId = await this.#store.upload(file.file, file, onProgress, signal);
        // Kept before it is used: the request has to be the same at each try.
        await this.#change(entry, { mediaId });
      } catch (error) {
        return outcomeOf(error, entry.kept);
      }
    }
    if (signal.aborted || this.#entries.get(entry.kept.messageId) !== entry) return { kind: 'trouble', error: signal.reason, isOurs: false };
    this.#tellState(entry, 'sending', 1);
    const record = this.#store.record();
    try {
      const asked = entry.kept;
      const outcome = await send(this.#store.client, asked, signal);
      if ((outcome.kind === 'sent' || outcome.kind === 'refused') && outcome.message) record.put(outcome.message);
      return outcome.kind === 'refused' && outcome.error.status === 404 && !outcome.message ? await this.#followed(entry, asked, outcome) : outcome;
    } finally {
      record.end();
    }
  }

  /** There is no such conversation: it may have become part of another one while nobody looked. */
  async #followed(entry: Entry, { conversationId, whose = null }: Kept, outcome: Outcome): Promise<Outcome> {
    try {
      if (entry.kept.conversationId !== conversationId) return { kind: 'moved' };
      return (await this.#store.follow(conversationId, whose)) === undefined ? outcome : { kind: 'moved' };
    } catch (error) {
      return { kind: 'trouble', error, isOurs: false };
    }
  }

  async #take(entry: Entry, outcome: Outcome): Promise<void> {
    const { kept } = entry;
    if (outcome.kind !== 'trouble' && outcome.kind !== 'signed_out') this.#failures.delete(kept.conversationId);
    switch (outcome.kind) {
      case 'sent':
        return this.#finish(entry, { message: outcome.message, error: null });
      case 'refused':
        if (outcome.message || kept.isRetry) return this.#finish(entry, outcome);
        this.#setState(entry, 'queued', 0);
        return this.#change(entry, { error: errorOfRefusal(outcome.error) });
      case 'file_gone':
        // Once: a file that is refused again is refused for what it is.
        if (this.#count(kept.messageId) > 1) return this.#change(entry, { error: { code: 'invalid_field', message: 'The file was not accepted', retryable: false } });
        return this.#change(entry, { mediaId: null });
      case 'other_form': {
        const [request, ...others] = kept.others;
        return this.#change(entry, { ...(request && { request }), others });
      }
      case 'moved':
        return this.#tellState(entry, 'queued');
      case 'signed_out':
        this.#tellState(entry, 'queued');
        return this.#pauseFor(SIGNED_OUT_MS);
      case 'trouble':
        return this.#wait(entry, outcome.error, outcome.isOurs);
    }
  }

  /** Tries again later, in its place; one that may be at fault itself not for ever. */
  async #wait(entry: Entry, error: unknown, isOurs: boolean): Promise<void> {
    const { messageId, conversationId } = entry.kept;
    this.#tellState(entry, 'queued');
    if (isOurs && this.#count(messageId) >= MOST_TRIES) {
      const apiError = error instanceof ApiError ? error : new ApiError(0, { code: 'internal' });
      if (entry.kept.isRetry) return this.#finish(entry, { message: null, error: apiError });
      return this.#change(entry, { error: { ...errorOfRefusal(apiError), retryable: true } });
    }
    if (error instanceof ApiError && error.retryAfter !== undefined) this.#patience.heed(error.retryAfter);
    const failures = this.#failures.get(conversationId) ?? 0;
    this.#failures.set(conversationId, failures + 1);
    const ms = Math.max(backoff(this.#store.random, failures), this.#patience.left);
    const forget = this.#store.clock.after(ms, () => {
      this.#waits.delete(conversationId);
      this.#pump();
    });
    this.#waits.set(conversationId, forget);
  }

  #count(messageId: string): number {
    const count = (this.#tries.get(messageId) ?? 0) + 1;
    this.#tries.set(messageId, count);
    return count;
  }

  /** The server has it, or said what becomes of it: it goes, but for what it takes to send it again. */
  async #finish(entry: Entry, { message, error }: { message: Message | null; error: ApiError | null }): Promise<void> {
    const { messageId, conversationId } = entry.kept;
    this.#forget(messageId);
    const { conversation_id: _, message_id: __, retry: ___, ...request } = bodyOf(entry.kept);
    const sent: Sent = { messageId, conversationId, request, at: this.#store.clock.now() };
    this.#tabs?.tell({ kind: 'gone', messageId, message, error: error && { status: error.status, details: { ...error.details } } });
    this.#answerRetry(messageId, message, error);
    await this.#unwritten;
    // What stays on disk is asked for once more, and sent no second time.
    const gone: Write = { shelf: 'outbox', delete: entry.kept.seq };
    const disk = this.#disk;
    // A disk that is full has room for less.
    await disk?.write([{ shelf: 'requests', put: sent }, gone]).catch(() => disk.write([gone])).catch(() => {});
  }

  #answerRetry(messageId: string, message: Message | null, error: ApiError | null): void {
    const retry = this.#retries.get(messageId);
    this.#retries.delete(messageId);
    if (error) retry?.reject(error);
    else retry?.resolve(message);
  }

  #forget(messageId: string): void {
    const entry = this.#entries.get(messageId);
    this.#entries.delete(messageId);
    this.#tries.delete(messageId);
    if (entry) this.#show(entry.kept.conversationId);
  }

  /** Nothing is under way here any more. */
  #rest(): void {
    for (const { stop } of this.#active.values()) stop.abort();
    for (const forget of this.#waits.values()) forget();
    this.#waits.clear();
    this.#pause?.();
    this.#pause = null;
  }

  /** What waited tries now, but not before the server's `Retry-After`. */
  #hurry(): void {
    for (const forget of this.#waits.values()) forget();
    this.#waits.clear();
    this.#failures.clear();
    this.#pause?.();
    this.#pause = null;
    this.#pump();
  }

  #pauseFor(ms: number): void {
    this.#pause?.();
    this.#pause = this.#store.clock.after(ms, () => {
      this.#pause = null;
      this.#pump();
    });
  }

  #isActive(messageId: string): boolean {
    return [...this.#active.values()].some((active) => active.messageId === messageId);
  }

  /** To a tab that has just come. */
  #tellStates(): void {
    for (const { messageId } of this.#active.values()) {
      const entry = this.#entries.get(messageId);
      if (entry && entry.state !== 'queued') this.#tabs?.tell({ kind: 'state', messageId, state: entry.state, progress: entry.progress });
    }
  }

  #tellState(entry: Entry, state: Entry['state'], progress = 0): void {
    this.#setState(entry, state, progress);
    this.#tabs?.tell({ kind: 'state', messageId: entry.kept.messageId, state, progress });
  }

  #setState(entry: Entry, state: Entry['state'], progress: number): void {
    if (entry.state === state && entry.progress === progress) return;
    entry.state = state;
    entry.progress = progress;
    entry.item = null;
    this.#show(entry.kept.conversationId);
  }

  #inOrder(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => (a.kept.seq === b.kept.seq ? 0 : a.kept.seq - b.kept.seq));
  }

  #show(conversationId: number): void {
    const entries = this.#inOrder();
    const items = entries.filter(({ kept }) => kept.conversationId === conversationId && !kept.isRetry).map(itemOf);
    if (items.length > 0) this.#shown.set(conversationId, items);
    else this.#shown.delete(conversationId);
    this.#store.queries.setQueryData(keys.outbox(conversationId), items.length > 0 ? items : NOTHING);
    const failed = entries.filter(({ kept }) => kept.error !== null).length;
    const totals = { queued: entries.length - failed, failed };
    if (totals.queued === this.#totals.queued && totals.failed === this.#totals.failed) return;
    this.#totals = totals;
    this.#store.queries.setQueryData(keys.outboxTotals(), totals);
  }
}
