/** The API as its contract says, in memory, behind a network as bad as a test wants it. */
import type { Change, Conversation, Message, PhoneNumber } from '../../src/api/types';
import type { Clock } from '../../src/core/clock';
import type { WebSocketConstructor, WebSocketLike } from '../../src/core/socket';

interface Row {
  kind: 'message' | 'conversation' | 'phone_number';
  /** When it last changed. */
  version: number;
  /** Null where it was deleted. */
  object: Message | Conversation | PhoneNumber | null;
  created: number;
  id: number | string;
}

/** Chances are from 0 to 1, times in milliseconds. */
export interface Network {
  latency: number;
  failing: number;
  /** Of a frame: that it never comes, comes twice, comes without its object, or is replaced by `resync`. */
  lost: number;
  doubled: number;
  truncated: number;
  resync: number;
  /** How much later than others a frame may come. */
  delay: number;
  /** That a socket is refused, or dies with nobody being told. */
  refused: number;
}

export const GOOD: Network = { latency: 20, failing: 0, lost: 0, doubled: 0, truncated: 0, resync: 0, delay: 0, refused: 0 };
export const BAD: Network = { latency: 3_000, failing: 0.2, lost: 0.2, doubled: 0.1, truncated: 0.05, resync: 0.02, delay: 5_000, refused: 0.2 };

/** One end of the network: a machine, or a tab of it. */
export interface Place {
  /** Does what comes from outside, unless the tab is frozen: then later. */
  enter(run: () => void): void;
  online(): boolean;
}

export const AWAKE: Place = { enter: (run) => run(), online: () => true };

const PAGE = 5;

export class ModelServer {
  readonly clock: Clock;
  readonly random: () => number;
  network: Network = GOOD;
  /** What was asked, in order. */
  readonly requests: { method: string; path: string; query: URLSearchParams; authorization: string | null }[] = [];
  /** Answers that are given instead, each once. */
  readonly answers: { path: string; status: number; headers?: Record<string, string>; body?: unknown }[] = [];
  readonly sockets = new Set<ModelSocket>();
  /** Open sockets that do not answer pings. */
  mute = false;
  #version = 0;
  #floor = 0;
  #nextId = 1;
  readonly #rows = new Map<string, Row>();

  constructor(clock: Clock, random: () => number) {
    this.clock = clock;
    this.random = random;
    for (const id of ['100', '200']) this.#put('phone_number', id, { phone_number_id: id, unread_count: 0 } as unknown as PhoneNumber);
    for (let n = 0; n < 4; n += 1) this.addConversation();
  }

  get openSockets(): ModelSocket[] {
    return [...this.sockets].filter((socket) => socket.state === 'open');
  }

  /** Everything there is, as a client should have it. */
  state(): { conversations: Conversation[]; messages: Message[]; phoneNumbers: PhoneNumber[] } {
    const of = <T>(kind: Row['kind']) =>
      [...this.#rows.values()].filter((row) => row.kind === kind && row.object).map((row) => row.object as T);
    return {
      conversations: of<Conversation>('conversation').toSorted((a, b) => a.id - b.id),
      messages: of<Message>('message').toSorted((a, b) => a.id - b.id),
      phoneNumbers: of<PhoneNumber>('phone_number').toSorted((a, b) => a.phone_number_id.localeCompare(b.phone_number_id)),
    };
  }

  addConversation(): Conversation {
    const id = this.#nextId++;
    return this.#put('conversation', id, { id, unread_count: 0, needs_reply: false } as unknown as Conversation);
  }

  addMessage(conversation = this.#any<Conversation>('conversation')): Message {
    const id = this.#nextId++;
    const message = { id, conversation_id: conversation?.id ?? 0, reactions: [], content: `words ${id}` } as unknown as Message;
    return this.#put('message', id, message);
  }

  /** One of the things that happen. */
  write(): void {
    const dice = this.random();
    const message = this.#any<Message>('message');
    const conversation = this.#any<Conversation>('conversation');
    if (!conversation || dice < 0.08) this.addConversation();
    else if (!message || dice < 0.4) this.addMessage();
    else if (dice < 0.65) this.#put('message', message.id, { ...message, content: `edited ${this.#version}` });
    else if (dice < 0.75) this.#put('conversation', conversation.id, { ...conversation, unread_count: this.#version });
    else if (dice < 0.8) {
      const number = this.#any<PhoneNumber>('phone_number');
      if (number) this.#put('phone_number', number.phone_number_id, { ...number, unread_count: this.#version });
    } else if (dice < 0.91) this.#put('message', message.id, null);
    else if (dice < 0.97) this.#join();
    else this.drop(conversation);
  }

  /** Forgets what happened: whoever was not there cannot catch up. */
  expire(): void {
    this.#floor = this.#version;
    for (const [key, row] of this.#rows) if (!row.object) this.#rows.delete(key);
  }

  /** Two conversations turn out to be one. */
  #join(): void {
    const from = this.#any<Conversation>('conversation');
    const into = this.#any<Conversation>('conversation');
    if (!from || !into || from === into) return;
    for (const message of this.state().messages) {
      if (message.conversation_id === from.id) this.#put('message', message.id, { ...message, conversation_id: into.id });
    }
    this.#put('conversation', from.id, null);
  }

  /** A conversation goes, and its messages with it, of which nothing is said. */
  drop(conversation: Conversation): void {
    for (const [key, { kind, object }] of this.#rows) {
      if (kind === 'message' && (object as Message | null)?.conversation_id === conversation.id) this.#rows.delete(key);
    }
    this.#put('conversation', conversation.id, null);
  }

  #any<T>(kind: Row['kind']): T | undefined {
    const rows = [...this.#rows.values()].filter((row) => row.kind === kind && row.object);
    return rows[Math.floor(this.random() * rows.length)]?.object as T | undefined;
  }

  #put<T extends Message | Conversation | PhoneNumber>(kind: Row['kind'], id: number | string, object: T | null): T {
    const version = ++this.#version;
    const key = `${kind} ${id}`;
    const created = this.#rows.get(key)?.created ?? version;
    const row: Row = { kind, id, version, created, object };
    this.#rows.set(key, row);
    for (const socket of this.openSockets) this.#frame(socket, change(row, version === created, version));
    return row.object as T;
  }

  #frame(socket: ModelSocket, { ...frame }: Change): void {
    const { network, random } = this;
    if (random() < network.lost) return;
    frame.cursor = `c${Math.max(0, this.#version - Math.floor(random() * 4))}`;
    if (random() < network.truncated) {
      frame.truncated = true;
      frame.message = frame.conversation = frame.phone_number = null;
    }
    const sent = random() < network.resync ? ({ type: 'resync', truncated: false } as const) : frame;
    for (let copies = random() < network.doubled ? 2 : 1; copies > 0; copies -= 1) {
      this.clock.after(network.latency * random() + network.delay * random(), () => socket.deliver(sent));
    }
  }

  /** A cursor is the version up to which everything was told; within a catch-up also what its first page saw, and how far it has come. */
  #changes(after: string | null): [number, unknown] {
    if (after === null) return [200, { success: true, changes: [], next_cursor: `c${this.#version}`, has_more: false }];
    const [from = 0, until, reached = from] = after.slice(1).split('-').map(Number);
    if (from < this.#floor) return [410, { success: false, error: { code: 'cursor_expired', message: 'Too old' } }];
    const seen = until ?? this.#version;
    const isNew = ({ version }: Row) => version > reached && version <= seen;
    const rows = [...this.#rows.values()].filter(isNew).toSorted((a, b) => a.version - b.version);
    const page = rows.slice(0, PAGE);
    const isFull = rows.length > PAGE;
    // After the last of several pages what changed since the first is to be asked for.
    const has_more = isFull || until !== undefined;
    const next_cursor = isFull ? `c${from}-${seen}-${page.at(-1)?.version}` : `c${seen}`;
    return [200, { success: true, changes: page.map((row) => change(row, false, this.#version)), next_cursor, has_more }];
  }

  #list(rows: Row[], query: URLSearchParams, name: string, cursorName: string): [number, unknown] {
    const before = Number(query.get(cursorName) ?? Infinity);
    const older = rows.filter((row) => row.object && row.created < before).toSorted((a, b) => b.created - a.created);
    const page = older.slice(0, PAGE);
    const next_cursor = older.length > PAGE ? String(page.at(-1)?.created) : null;
    return [200, { success: true, [name]: page.map((row) => row.object), next_cursor, prev_cursor: null }];
  }

  #answer(path: string, query: URLSearchParams): [number, unknown, Record<string, string>?] {
    const special = this.answers.findIndex((answer) => path.endsWith(answer.path));
    if (special >= 0) {
      const [answer] = this.answers.splice(special, 1);
      if (answer) return [answer.status, answer.body ?? { success: false, error: { code: 'special', message: 'As told' } }, answer.headers ?? {}];
    }
    if (this.random() < this.network.failing) {
      const error = { success: false, error: { code: 'unavailable', message: 'Later' } };
      return this.random() < 0.5 ? [503, error, { 'retry-after': '2' }] : [500, error];
    }
    const rows = (kind: Row['kind']) => [...this.#rows.values()].filter((row) => row.kind === kind);
    switch (path) {
      case '/api/live-chat/changes':
        return this.#changes(query.get('after'));
      case '/api/live-chat/realtime-ticket':
        return [200, { success: true, url: 'wss://model/', expires_at: new Date(this.clock.now() + 60_000).toISOString() }];
      case '/api/live-chat/conversations':
        return this.#list(rows('conversation'), query, 'conversations', 'cursor');
      case '/api/live-chat/phone-numbers':
        return [200, { success: true, phone_numbers: rows('phone_number').map((row) => row.object) }];
      case '/api/live-chat/messages': {
        const conversation = Number(query.get('conversation_id'));
        const alive = this.#rows.get(`conversation ${conversation}`)?.object;
        if (!alive) return [404, { success: false, error: { code: 'not_found', message: 'No such conversation' } }];
        const own = rows('message').filter((row) => (row.object as Message | null)?.conversation_id === conversation);
        return this.#list(own, query, 'messages', 'before');
      }
      default:
        return [404, {}];
    }
  }

  /** `fetch` as one place has it. */
  fetch(place: Place = AWAKE): typeof fetch {
    return (input, init) =>
      new Promise((resolve, reject) => {
        const url = new URL(String(input));
        const authorization = new Headers(init?.headers).get('authorization');
        this.requests.push({ method: init?.method ?? 'GET', path: url.pathname, query: url.searchParams, authorization });
        const { network, random, clock } = this;
        const signal = init?.signal;
        const fail = () => place.enter(() => reject(new TypeError('fetch failed')));
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
        if (!place.online()) return void clock.after(1, fail);
        clock.after(network.latency * random(), () => {
          if (random() < network.failing / 2) return fail();
          const [status, body, headers] = this.#answer(url.pathname, url.searchParams);
          clock.after(network.latency * random(), () => {
            if (!place.online() || random() < network.failing / 2) return fail();
            place.enter(() => resolve(new Response(JSON.stringify(body), { status, headers: headers ?? {} })));
          });
        });
      });
  }

  /** `WebSocket` as one place has it. */
  WebSocket(place: Place = AWAKE): WebSocketConstructor {
    // oxlint-disable-next-line typescript/no-this-alias
    const server = this;
    return class extends ModelSocket {
      constructor(_url: string) {
        super(server, place);
      }
    };
  }
}

export class ModelSocket implements WebSocketLike {
  onopen: ((event: never) => unknown) | null = null;
  onmessage: ((event: never) => unknown) | null = null;
  onerror: ((event: never) => unknown) | null = null;
  onclose: ((event: never) => unknown) | null = null;
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** What the client sent. */
  readonly received: { type: string; visible?: boolean }[] = [];
  readonly #server: ModelServer;
  readonly #place: Place;
  /** Nothing comes through, and nobody says so. */
  #dead = false;

  constructor(server: ModelServer, place: Place) {
    this.#server = server;
    this.#place = place;
    server.sockets.add(this);
    const { clock, network, random } = server;
    clock.after(network.latency * random(), () => {
      if (this.state !== 'connecting') return;
      if (!place.online() || random() < network.refused) return this.cut();
      this.state = 'open';
      if (random() < network.refused / 2) this.#dead = true;
      this.#place.enter(() => this.onopen?.({} as never));
    });
  }

  send(data: string): void {
    const letter = JSON.parse(data) as { type: string; visible?: boolean };
    this.received.push(letter);
    if (this.#server.mute || this.state !== 'open') return;
    this.#server.clock.after(this.#server.network.latency, () => this.deliver({ type: 'pong', truncated: false }));
  }

  close(): void {
    this.cut(1000);
  }

  /** Something comes from the server. */
  deliver(frame: Change): void {
    if (this.state !== 'open' || this.#dead || !this.#place.online()) return;
    const data = JSON.stringify(frame);
    this.#place.enter(() => this.onmessage?.({ data } as never));
  }

  /** The connection ends. */
  cut(code = 1006): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#server.sockets.delete(this);
    this.#place.enter(() => this.onclose?.({ code } as never));
  }
}

/** A change carries the version at which it was read. */
function change({ kind, id, object }: Row, created: boolean, version: number): Change {
  const what = object === null ? 'deleted' : created && kind === 'message' ? 'created' : 'updated';
  const none = { conversation_id: null, id: null, message_id: null, phone_number_id: null, message: null, conversation: null, phone_number: null };
  const about =
    kind === 'message'
      ? { id: id as number, conversation_id: (object as Message | null)?.conversation_id ?? null, message: object as Message }
      : kind === 'conversation'
        ? { conversation_id: id as number, conversation: object as Conversation }
        : { phone_number_id: id as string, phone_number: object as PhoneNumber };
  return { ...none, ...about, type: `${kind}.${what}` as Change['type'], version, cursor: null, truncated: false };
}
