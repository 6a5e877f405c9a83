/** An API that answers as told, and browsers with disks and tabs that ask it. */
import { IDBFactory } from 'fake-indexeddb';
import type { Change, Conversation, Message, PhoneNumber, SendRequest } from '../../src/api/types';
import type { Picture } from '../../src/store/picture';
import { Store } from '../../src/store/store';
import { ModelBrowser, type ModelTab } from '../model/browser';
import { seeded, settle, VirtualClock } from '../model/time';

export function conversationOf(id: number, more: Partial<Conversation> = {}): Conversation {
  return {
    id,
    waba_id: 'w1',
    phone_number_id: 'p1',
    customer_name: `Customer ${id}`,
    customer_phone: `+${id}`,
    last_message_time: '2026-01-01T00:00:00Z',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    unread_count: 0,
    needs_reply: false,
    waiting_since: null,
    status: 'active',
    window_expires_at: '2026-01-02T00:00:00Z',
    ...more,
  };
}

export function messageOf(id: number, more: Partial<Message> = {}): Message {
  return {
    id,
    message_id: `m${id}`,
    wa_message_id: `wamid.${id}`,
    conversation_id: 1,
    content: `Text ${id}`,
    message_type: 'text',
    sender: 'user',
    status: 'sent',
    timestamp: new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString(),
    reactions: [],
    ...more,
  };
}

export function numberOf(id: string, more: Partial<PhoneNumber> = {}): PhoneNumber {
  return { phone_number_id: id, waba_id: 'w1', account_status: 'active', read_receipts: 'on_reply', unread_count: 0, ...more };
}

export function tokenOf(user: string): string {
  return `head.${btoa(JSON.stringify({ sub: user }))}.sign`;
}

export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'cut' | 'lost' | 'hangs';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  user: string;
}

export class ModelApi {
  readonly asked: Asked[] = [];
  /** The messages as they were sent, in order, each once. */
  readonly messages: Message[] = [];
  readonly bodies = new Map<string, string>();
  readonly files = new Map<string, number>();
  /** Answers in place of the API's own; `lost` does it and loses the answer. */
  answer: (asked: Asked) => Answer | Promise<Answer> | undefined = () => undefined;
  upload: (mediaId: string) => number | Promise<number> = () => 200;
  conversations: Conversation[] = [];
  phoneNumbers: PhoneNumber[] = [];
  /** What `changes` tells, in order. */
  readonly changes: Change[] = [];
  isExpired = false;
  #ids = 0;

  sent(conversationId?: number): (string | null | undefined)[] {
    return this.messages.filter((message) => conversationId === undefined || message.conversation_id === conversationId).map(({ content }) => content);
  }

  /** The next who asks is told this. */
  tell(change: Omit<Change, 'truncated' | 'version'>): void {
    this.changes.push({ truncated: false, version: this.changes.length + 1, ...change });
  }

  requests(path: string): Asked[] {
    return this.asked.filter((asked) => asked.path === path);
  }

  fetchFor(isOnline: () => boolean): typeof fetch {
    return async (input, init) => {
      const { signal } = init ?? {};
      await settle();
      signal?.throwIfAborted();
      if (!isOnline()) throw new TypeError('Failed to fetch');
      const url = new URL(String(input));
      const token = new Headers(init?.headers).get('authorization')?.split('.')[1] ?? '';
      const asked: Asked = {
        method: init?.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        body: typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : null,
        user: (JSON.parse(atob(token)) as { sub: string }).sub,
      };
      this.asked.push(asked);
      const told = await this.answer(asked);
      if (told === 'cut') throw new TypeError('Failed to fetch');
      if (told === 'hangs') return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
      const { status, body, headers } = told === undefined || told === 'lost' ? this.#answer(asked) : told;
      await settle();
      signal?.throwIfAborted();
      if (told === 'lost' || !isOnline()) throw new TypeError('Failed to fetch');
      return new Response(JSON.stringify(body ?? {}), { status, headers: headers ?? {} });
    };
  }

  #answer({ method, path, query, body }: Asked): { status: number; body: unknown; headers?: Record<string, string> } {
    const name = `${method} ${path.replace('/api/live-chat/', '')}`;
    switch (name) {
      case 'GET changes':
        if (this.isExpired && query.has('after')) {
          this.isExpired = false;
          return { status: 410, body: { error: { code: 'cursor_expired' } } };
        }
        return { status: 200, body: { success: true, changes: query.has('after') ? this.changes.slice(Number(query.get('after'))) : [], next_cursor: String(this.changes.length), has_more: false } };
      case 'GET conversations':
        return { status: 200, body: { success: true, conversations: this.conversations, next_cursor: null } };
      case 'GET phone-numbers':
        return { status: 200, body: { success: true, phone_numbers: this.phoneNumbers } };
      case 'GET messages': {
        const messages = this.messages.filter((message) => message.conversation_id === Number(query.get('conversation_id')));
        return { status: 200, body: { success: true, messages: messages.toReversed(), next_cursor: null, prev_cursor: null } };
      }
      case 'POST media': {
        const id = `media-${(this.#ids += 1)}`;
        return { status: 200, body: { success: true, media_id: id, kind: 'image', upload: { method: 'PUT', url: `https://files/${id}`, headers: {}, expires_at: '2026-01-01T01:00:00Z' } } };
      }
      case 'POST send-message':
        return this.#send(body as SendRequest);
      default:
        return { status: 503, body: { error: { code: 'unavailable' } } };
    }
  }

  /** Never twice for one id; another request under it is refused. */
  #send(request: SendRequest): { status: number; body: unknown } {
    const { message_id: id, retry, ...rest } = request;
    const known = this.messages.find(({ message_id }) => message_id === id);
    const content = JSON.stringify(rest);
    if (known && this.bodies.get(id ?? '') !== content) return { status: 409, body: { error: { code: 'message_id_in_use', message: 'in use' } } };
    if (known?.status === 'failed' && retry) {
      known.status = 'sent';
      known.error = null;
    }
    if (known) return { status: 200, body: { success: true, result: 'replayed', message: known } };
    const text = request.message ?? request.text?.body ?? request.image?.media_id ?? null;
    const message = messageOf((this.#ids += 1), { message_id: id ?? null, conversation_id: request.conversation_id ?? 0, content: text });
    this.messages.push(message);
    this.bodies.set(id ?? '', content);
    return { status: 200, body: { success: true, result: 'accepted', message: { ...message } } };
  }
}

class SilentSocket {
  readyState = 0;
  close(): void {}
  send(): void {}
  addEventListener(): void {}
  removeEventListener(): void {}
}

/** A browser's profile: its disk stays when its tabs are closed. */
export class Profile {
  readonly clock = new VirtualClock();
  readonly random = seeded(7);
  readonly browser = new ModelBrowser(this.clock, this.random);
  readonly disk = new IDBFactory();
  readonly api: ModelApi;
  /** All that were opened. */
  readonly tabs: TabOfStore[] = [];
  isOnline = true;

  constructor(api = new ModelApi()) {
    this.api = api;
  }

  tab({ user = 'u1', disk = this.disk as IDBFactory | null, picture = null as Picture | null, token = () => tokenOf(user) as string | null } = {}): TabOfStore {
    const tab = this.browser.tab();
    tab.setOnline(this.isOnline);
    const store = new Store({
      apiUrl: 'https://api',
      getAccessToken: () => Promise.resolve(token()),
      fetch: this.api.fetchFor(() => tab.online() && this.isOnline),
      clock: tab.clock,
      random: this.random,
      page: tab.page,
      browser: tab.browser,
      indexedDB: disk,
      picture,
      WebSocket: SilentSocket as never,
      putFile: async (target) => {
        if (!tab.online() || !this.isOnline) return 0;
        const id = target.url.split('/').at(-1) ?? '';
        this.api.files.set(id, (this.api.files.get(id) ?? 0) + 1);
        return this.api.upload(id);
      },
    });
    const made = { tab, store, stop: store.start() };
    this.tabs.push(made);
    return made;
  }

  setOnline(online: boolean, ...tabs: TabOfStore[]): void {
    this.isOnline = online;
    for (const { tab } of tabs) tab.setOnline(online);
  }

  /** Lets promises, the disk and, little by little, time go on until it holds. */
  async until(condition: () => boolean, name = condition.toString()): Promise<void> {
    for (let step = 0; step < 20_000; step += 1) {
      if (condition()) return;
      if (step % 10 === 9) await this.clock.advance(100);
      else await settle();
    }
    throw new Error(`it did not happen: ${name}`);
  }

  /** What `work` comes to, while everything goes on. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => (isDone = true);
    work.then(end, end);
    await this.until(() => isDone, 'the end of it');
    return work;
  }

  /** Lets everything happen that is under way, and this much time pass. */
  async pass(ms = 1_000): Promise<void> {
    for (let step = 0; step < 20; step += 1) await settle();
    for (let passed = 0; passed < ms; passed += 500) {
      await this.clock.advance(500);
      for (let step = 0; step < 20; step += 1) await settle();
    }
  }
}

export interface TabOfStore {
  tab: ModelTab;
  store: Store;
  stop: () => void;
}
