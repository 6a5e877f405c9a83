/**
 * A client for end-to-end tests: loads everything, stays live, and makes its own trouble. Sockets are cut (some in the middle of the handshake),
 * the network is away for a while, frames come late and out of order.
 *
 *     API_URL=http://… TOKEN=… SEED=1 node web/dist/mirror_process.js
 *
 * Commands on standard input, one a line; answers on standard output, one JSON object a line:
 * - `settle` ends the trouble and answers `{"settled":true,…}` once it is live and everything is here;
 * - `trouble` begins it again;
 * - `dump` answers `{"conversations":{"1":{…}},"messages":{…},"phone_numbers":{…}}`, sorted by id;
 * - `quit`.
 */
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import type { WebSocketLike } from '../src/core/socket';
import type { PageEvent } from '../src/core/page';
import { createLive, Mirror } from '../src/core/index';
import { loadAll } from './load';
import { seeded } from './model/time';

const { API_URL: apiUrl, TOKEN: token, SEED: seed = '1' } = process.env;
if (!apiUrl || !token) {
  process.stderr.write('API_URL and TOKEN are missing\n');
  process.exit(2);
}

const random = seeded(Number(seed));
const counts = { resets: 0, sockets: 0, opened: 0, cuts: 0, offline: 0, frames: 0, delayed: 0, changes: 0, requests: 0, tokens: 0 };
let trouble = true;
let online = true;
const sockets = new Set<Troubled>();
/** What a browser says when the network goes or comes back. */
let tell: (event: PageEvent) => void = () => {};

/** A socket of `ws` whose frames come late, each by another time. */
class Troubled implements WebSocketLike {
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;
  readonly #socket: WebSocket;

  constructor(url: string) {
    counts.sockets += 1;
    sockets.add(this);
    const socket = (this.#socket = new WebSocket(url));
    if (!online || (trouble && random() < 0.1)) setTimeout(() => this.cut(), random() * 50);
    socket.on('error', () => {});
    socket.on('open', () => {
      counts.opened += 1;
      this.onopen?.({} as never);
    });
    socket.on('message', (bytes) => {
      counts.frames += 1;
      const tell = () => this.onmessage?.({ data: String(bytes) } as never);
      const isLate = trouble && random() < 0.3;
      if (isLate) counts.delayed += 1;
      setTimeout(tell, isLate ? random() * 3_000 : 0);
    });
    socket.on('close', (code) => {
      sockets.delete(this);
      this.onclose?.({ code } as never);
    });
  }

  send(data: string): void {
    this.#socket.send(data);
  }

  close(code?: number): void {
    this.#socket.close(code);
  }

  /** Ends without a word. */
  cut(): void {
    this.#socket.terminate();
  }
}

const ask: typeof fetch = async (input, init) => {
  counts.requests += 1;
  if (!online) throw new TypeError('offline');
  return fetch(input, init);
};

const live = createLive({
  apiUrl,
  getAccessToken: () => {
    counts.tokens += 1;
    return Promise.resolve(token);
  },
  fetch: ask,
  WebSocket: Troubled,
  random,
  browser: null,
  page: {
    visible: true,
    get online() {
      return online;
    },
    listen(listener) {
      tell = listener;
      return () => (tell = () => {});
    },
  },
});
const mirror = new Mirror();
let loaded: Promise<void> = Promise.resolve();
mirror.follow(live);
live.subscribe((event) => {
  if (event.type === 'changes') counts.changes += event.changes.length;
  if (event.type !== 'reset') return;
  counts.resets += 1;
  loaded = loadAll(live, mirror, () => sleep(200));
});

/** Makes trouble at random moments, until it is told not to. */
async function makeTrouble(): Promise<void> {
  for (;;) {
    await sleep(100 + random() * 1_500);
    if (!trouble) continue;
    if (random() < 0.75) {
      for (const socket of sockets) socket.cut();
      counts.cuts += 1;
    } else {
      counts.offline += 1;
      online = false;
      tell('offline');
      for (const socket of sockets) socket.cut();
      await sleep(random() * 2_500);
      online = true;
      tell('online');
    }
  }
}

/** Waits until everything that happened before is here, and everything that was to be loaded. */
async function settle(): Promise<void> {
  trouble = false;
  online = true;
  tell('online');
  for (let resets = -1; resets !== counts.resets; ) {
    resets = counts.resets;
    await loaded;
    await live.catchUp();
  }
  // Frames that were held back.
  await sleep(3_100);
  if (live.status.state !== 'live') await nextLive();
  say({
    settled: true,
    ...counts,
    ...live.status,
    conversations: mirror.conversations.size,
    messages: [...mirror.messages()].length,
    phone_numbers: mirror.phoneNumbers.size,
  });
}

function nextLive(): Promise<void> {
  return new Promise((resolve) => {
    const forget = live.subscribe((event) => {
      if (event.type !== 'status' || event.status.state !== 'live') return;
      forget();
      resolve();
    });
  });
}

function dump(): void {
  const byId = <T>(rows: Iterable<T>, id: (row: T) => number | string) =>
    Object.fromEntries([...rows].map((row) => [String(id(row)), row] as const).toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
  say({
    conversations: byId(mirror.conversations.values(), ({ id }) => id),
    messages: byId(mirror.messages(), ({ id }) => id),
    phone_numbers: byId(mirror.phoneNumbers.values(), ({ phone_number_id }) => phone_number_id),
  });
}

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

live.start();
void makeTrouble();
for await (const line of createInterface({ input: process.stdin })) {
  const command = line.trim();
  if (command === 'settle') await settle();
  else if (command === 'trouble') trouble = true;
  else if (command === 'dump') dump();
  else if (command === 'quit') break;
  else if (command) say({ error: `unknown command: ${command}` });
}
live.stop();
process.exit(0);
