import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLive, type GetAccessToken, type Live, type LiveEvent, Mirror } from '../src/core/index';
import { ModelBrowser, type ModelTab } from './model/browser';
import { GOOD, ModelServer, type ModelSocket } from './model/server';
import { seeded, VirtualClock } from './model/time';

const MINUTE = 60_000;

let clock: VirtualClock;
let server: ModelServer;
let tab: ModelTab;
let live: Live;
let events: LiveEvent[];
const getAccessToken = vi.fn<GetAccessToken>();

beforeEach(() => {
  clock = new VirtualClock();
  server = new ModelServer(clock, seeded(1));
  tab = new ModelBrowser(clock, seeded(2)).tab();
  events = [];
  getAccessToken.mockReset().mockImplementation(() => Promise.resolve('token'));
  live = client(3);
  live.subscribe((event) => events.push(event));
});

afterEach(() => live.stop());

const asked = (path: string) => server.requests.filter((request) => request.path.endsWith(path));
const states = () => events.flatMap((event) => (event.type === 'status' ? [event.status.state] : []));
const told = () => events.flatMap((event) => (event.type === 'changes' ? event.changes.map(({ message }) => message?.id) : []));
const socket = () => server.openSockets[0] as ModelSocket;
const isLive = () => live.status.state === 'live';

function client(seed: number): Live {
  return createLive({
    apiUrl: 'https://model',
    getAccessToken,
    fetch: server.fetch(tab),
    WebSocket: server.WebSocket(tab),
    clock,
    random: seeded(seed),
    page: tab.page,
    browser: null,
  });
}

async function begin(): Promise<ModelSocket> {
  live.start();
  await clock.until(isLive);
  return socket();
}

describe('the beginning', () => {
  test('asks for the cursor before it opens a socket, and for what happened since after', async () => {
    await begin();
    expect(server.requests.map(({ path, query }) => [path.split('/').at(-1), query.get('after')])).toEqual([
      ['changes', null],
      ['realtime-ticket', null],
      ['changes', 'c6'],
    ]);
    expect(events.filter(({ type }) => type === 'reset')).toHaveLength(1);
  });

  test('can be ended and begun again at once', async () => {
    live.start();
    live.stop();
    await begin();
    expect(server.openSockets).toHaveLength(1);
    const signal = live.now().signal;
    live.stop();
    // What is on its way arrives, and is nothing to anybody.
    await clock.advance(100);
    expect(signal.aborted).toBe(true);
    expect(server.openSockets).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(tab.listeners).toBe(0);
  });

  test('a page that fails in its listener costs no change', async () => {
    const failed = vi.spyOn(console, 'error').mockImplementation(() => {});
    live.subscribe(() => {
      throw new Error('the page has a mistake');
    });
    const later: string[] = [];
    live.subscribe(({ type }) => later.push(type));
    await begin();
    server.addMessage();
    await clock.advance(1_000);
    expect(later).toContain('changes');
    expect(failed).toHaveBeenCalled();
  });
});

describe('changes', () => {
  test('are told once, whether by frame or by page', async () => {
    await begin();
    const { id } = server.addMessage();
    await clock.advance(1_000);
    const caughtUp = live.catchUp();
    await clock.advance(1_000);
    await caughtUp;
    expect(told()).toEqual([id]);
  });

  test('that come while there are several pages are asked for too', async () => {
    const first = await begin();
    server.network = { ...GOOD, lost: 1 };
    for (let n = 0; n < 8; n += 1) server.addMessage();
    // The connection fails in the middle, and what is written then is newer than what the first page saw.
    tab.setOnline(true);
    await clock.until(() => told().length > 0);
    tab.setOnline(false);
    first.cut();
    await clock.advance(10_000);
    const { id } = server.addMessage();
    const writtenAt = clock.now();
    tab.setOnline(true);
    await clock.until(() => (live.status.upToDateAt ?? 0) >= writtenAt);
    expect(told()).toContain(id);
    expect(asked('/changes').at(-1)?.query.get('after')).not.toContain('-');
  });

  test('that no frame brought are asked for within about a minute', async () => {
    await begin();
    server.network = { ...GOOD, lost: 1 };
    server.addMessage();
    await clock.advance(67_000);
    expect(events.some((event) => event.type === 'changes')).toBe(true);
  });

  test('that did not fit a frame are asked for at once', async () => {
    await begin();
    server.network = { ...GOOD, truncated: 1 };
    server.addMessage();
    await clock.advance(200);
    expect(events.some((event) => event.type === 'changes')).toBe(true);
  });

  test('that are too many to be sent are asked for at once', async () => {
    await begin();
    server.network = { ...GOOD, resync: 1 };
    server.addMessage();
    await clock.advance(200);
    expect(events.some((event) => event.type === 'changes')).toBe(true);
  });

  test('are asked for when the page becomes visible or online', async () => {
    await begin();
    for (const tell of [() => tab.setVisible(true), () => tab.setOnline(true)]) {
      const before = asked('/changes').length;
      tell();
      await clock.advance(200);
      expect(asked('/changes').length).toBe(before + 1);
    }
  });

  test('too long ago mean a reset, and what was asked for before is worthless', async () => {
    await begin();
    const { signal } = live.now();
    server.answers.push({ path: '/changes', status: 410 });
    await clock.until(() => signal.aborted);
    expect(events.filter(({ type }) => type === 'reset')).toHaveLength(2);
    await clock.until(isLive);
  });

  test('too many to be worth paging through mean a reset', async () => {
    await begin();
    server.network = { ...GOOD, lost: 1 };
    for (let n = 0; n < 200; n += 1) server.addMessage();
    await clock.until(() => events.filter(({ type }) => type === 'reset').length === 2);
  });

  test('typing is told', async () => {
    (await begin()).deliver({ type: 'typing', conversation_id: 5, truncated: false });
    expect(events.at(-1)).toEqual({ type: 'typing', conversationId: 5 });
  });

  test('of types that are not known yet are passed over', async () => {
    (await begin()).deliver({ type: 'poll.created' as never, version: 99, truncated: false });
    expect(isLive()).toBe(true);
  });
});

describe('the socket', () => {
  test('says at once whether anybody looks, and again every minute', async () => {
    const { received } = await begin();
    expect(received).toEqual([{ type: 'ping', visible: true }]);
    tab.setVisible(false);
    expect(received.at(-1)).toEqual({ type: 'ping', visible: false });
    const before = received.length;
    await clock.advance(10 * MINUTE);
    expect(received.length - before).toBeGreaterThanOrEqual(10);
    expect(received.length - before).toBeLessThanOrEqual(14);
  });

  test('that does not answer within ten seconds is replaced', async () => {
    const first = await begin();
    await clock.advance(100);
    server.mute = true;
    tab.setVisible(false);
    await clock.advance(9_900);
    expect(first.state).toBe('open');
    server.mute = false;
    await clock.advance(1_500);
    expect(first.state).toBe('closed');
    expect(socket()).not.toBe(first);
  });

  test('that breaks is followed by another within seconds, and the status says so', async () => {
    const first = await begin();
    first.cut();
    expect(live.status.state).toBe('connecting');
    await clock.advance(5_100);
    expect(isLive()).toBe(true);
  });

  test.each([1001, 1006])('that breaks (%i) costs no change until the next one is open', async (code) => {
    const first = await begin();
    server.network = { ...GOOD, lost: 1 };
    const { id } = server.addMessage();
    first.cut(code);
    await clock.advance(50);
    expect(server.openSockets).toHaveLength(0);
    expect(told()).toContain(id);
  });

  test.each([1001, 1006])('of everybody that breaks at once (%i) is no herd afterwards', async (code) => {
    const clients = Array.from({ length: 200 }, (_, seed) => client(seed));
    for (const one of clients) one.start();
    await clock.until(() => server.openSockets.length === 200 && clients.every(({ status }) => status.state === 'live'));
    const before = asked('/realtime-ticket').length;
    for (const open of server.openSockets) open.cut(code);
    for (let second = 1; second <= 5; second += 1) {
      await clock.advance(1_000);
      // Some 40 each second.
      expect(asked('/realtime-ticket').length - before).toBeLessThan(60 * second);
    }
    expect(asked('/realtime-ticket').length - before).toBe(200);
    for (const one of clients) one.stop();
  });

  test('is tried anew at once when the page is looked at', async () => {
    const first = await begin();
    tab.setVisible(false);
    await clock.advance(1_000);
    first.cut();
    await clock.advance(1);
    tab.setVisible(true);
    await clock.advance(100);
    expect(isLive()).toBe(true);
  });

  test('is replaced before the gateway ends it, without a gap', async () => {
    const first = await begin();
    await clock.advance(99 * MINUTE);
    expect(first.state).toBe('open');
    const begun = events.length;
    await clock.until(() => first.state === 'closed', 16 * MINUTE);
    expect(server.openSockets).toHaveLength(1);
    expect(events.slice(begun).some((event) => event.type === 'status' && event.status.state !== 'live')).toBe(false);
  });

  test('is tried for ever, ever more slowly, and at once when the network is back', async () => {
    await begin();
    server.network = { ...GOOD, refused: 1 };
    socket().cut();
    await clock.advance(5 * MINUTE);
    const early = asked('/realtime-ticket').length;
    expect(early).toBeGreaterThan(8);
    await clock.advance(60 * MINUTE);
    const tries = asked('/realtime-ticket').length - early;
    expect(tries).toBeGreaterThan(60);
    expect(tries).toBeLessThan(400);
    expect(live.status.state).toBe('offline');
    // The changes are asked for all the same.
    expect(clock.now() - (live.status.upToDateAt ?? 0)).toBeLessThan(67_000);
    server.network = GOOD;
    tab.setOnline(true);
    await clock.advance(200);
    expect(isLive()).toBe(true);
  });

  test('waits as long as the server wants', async () => {
    const first = await begin();
    const before = asked('/realtime-ticket').length;
    server.answers.push({ path: '/realtime-ticket', status: 429, headers: { 'retry-after': '100' } });
    first.cut();
    await clock.advance(90_000);
    tab.setOnline(true);
    await clock.advance(5_000);
    expect(asked('/realtime-ticket').length).toBe(before + 1);
    await clock.advance(10_000);
    expect(isLive()).toBe(true);
  });

  test('waits as long as the server wants, also when the page was frozen or loads anew', async () => {
    const first = await begin();
    const before = asked('/realtime-ticket').length;
    server.answers.push({ path: '/realtime-ticket', status: 429, headers: { 'retry-after': '100' } });
    first.cut();
    await clock.until(() => asked('/realtime-ticket').length > before);
    await clock.advance(100);
    tab.tell('freeze');
    tab.tell('thaw');
    await clock.advance(1_000);
    server.answers.push({ path: '/changes', status: 410 });
    tab.setOnline(true);
    await clock.until(() => events.filter(({ type }) => type === 'reset').length === 2);
    await clock.advance(90_000);
    expect(asked('/realtime-ticket').length).toBe(before + 1);
    await clock.advance(10_000);
    expect(isLive()).toBe(true);
  });
});

describe('Retry-After', () => {
  test('silences for ten minutes at the most, also when the clock is set back meanwhile', async () => {
    await begin();
    server.answers.push({ path: '/changes', status: 503, headers: { 'retry-after': '100' } });
    tab.setOnline(true);
    await clock.advance(100);
    const before = asked('/changes').length;
    clock.set(-24 * 60 * MINUTE);
    // Counted from the poll that finds it so.
    await clock.advance(11.2 * MINUTE);
    expect(asked('/changes').length).toBeGreaterThan(before);
  });
});

describe('the session', () => {
  test('is over when a fresh token is refused too, and goes on when somebody signs in', async () => {
    getAccessToken.mockImplementation(() => Promise.resolve(null));
    live.start();
    await clock.advance(1_000);
    expect(live.status.state).toBe('session_expired');
    getAccessToken.mockImplementation(() => Promise.resolve('token'));
    await clock.until(isLive);
    expect(states()).toContain('session_expired');
  });

  test('goes on after a token that never came', async () => {
    await begin();
    getAccessToken.mockImplementationOnce(() => new Promise(() => {}));
    await clock.advance(4 * MINUTE);
    expect(clock.now() - (live.status.upToDateAt ?? 0)).toBeLessThan(67_000);
  });

  test('a refused token is refreshed once', async () => {
    server.answers.push({ path: '/changes', status: 401 });
    await begin();
    expect(getAccessToken.mock.calls.filter(([{ forceRefresh }]) => forceRefresh)).toHaveLength(1);
  });

  test('of another user is not mixed with this one', async () => {
    const token = (sub: string) => `x.${btoa(JSON.stringify({ sub }))}.x`;
    getAccessToken.mockImplementation(() => Promise.resolve(token('one')));
    await begin();
    getAccessToken.mockImplementation(() => Promise.resolve(token('other')));
    await clock.advance(2 * MINUTE);
    expect(live.status.state).toBe('session_expired');
    expect(asked('').every(({ authorization }) => authorization === `Bearer ${token('one')}`)).toBe(true);
  });
});

test('a frozen page closes everything, and catches up when it goes on', async () => {
  const mirror = new Mirror();
  mirror.follow(live);
  const first = await begin();
  tab.tell('freeze');
  await clock.advance(100);
  expect(first.state).toBe('closed');
  expect(clock.pending).toBe(0);
  const { id } = server.addMessage();
  await clock.advance(10 * MINUTE);
  tab.tell('thaw');
  await clock.until(isLive);
  expect(mirror.message(id)).toBeDefined();
  expect(events.filter(({ type }) => type === 'reset')).toHaveLength(1);
});
