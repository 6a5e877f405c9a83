/** Tabs of a real browser share one socket. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { launch } from './chromium';
import { type Server, serve } from './server';

let browser: Browser;
let script: string;
let server: Server;
let context: BrowserContext;

beforeAll(async () => {
  const entry = new URL('page.ts', import.meta.url).pathname;
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    build: { write: false, target: 'es2022', lib: { entry, formats: ['es'], fileName: 'page' } },
  });
  const [bundle] = built as { output: { code: string }[] }[];
  script = bundle?.output[0]?.code ?? '';
  browser = await launch();
}, 60_000);

afterAll(() => browser?.close());

beforeEach(async () => {
  server = await serve(script);
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
  await server.close();
});

const soon = <T>(assert: () => T) => vi.waitFor(assert, { timeout: 20_000, interval: 50 });
const has = (page: Page, messages: number[]) =>
  soon(async () => expect(await page.evaluate('messages()')).toEqual(messages));

/** Opens a tab, and waits until it is live. */
async function open(user: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/?user=${user}`);
  await soon(async () => expect(await page.evaluate('state()')).toBe('live'));
  return page;
}

describe('tabs of one browser', { timeout: 60_000 }, () => {
  test('three tabs have one socket, and each hears everything', async () => {
    const tabs = [await open('a'), await open('a'), await open('a')];
    server.write();
    server.write();
    for (const tab of tabs) await has(tab, [1, 2]);
    expect(server.sockets('a').size).toBe(1);
  });

  test('when the leader is closed another takes over, and nothing is missed', async () => {
    const [leader, ...others] = [await open('a'), await open('a'), await open('a')] as [Page, Page, Page];
    server.write();
    await has(others[1] as Page, [1]);
    const [socket] = server.sockets('a');
    await leader.close();
    // Written while nobody listens: no frame brings it.
    server.write({ quietly: true });
    for (const tab of others) await has(tab, [1, 2]);
    await soon(() => expect(server.sockets('a').size).toBe(1));
    expect(server.sockets('a').has(socket as never)).toBe(false);
    server.write();
    for (const tab of others) await has(tab, [1, 2, 3]);
  });

  test('a leader that hangs loses its place', async () => {
    const leader = await open('a');
    const follower = await open('a');
    const [socket] = server.sockets('a');
    // Its thread is busy for longer than the others wait.
    void leader.evaluate('for (const end = Date.now() + 120_000; Date.now() < end; );').catch(() => {});
    server.write({ quietly: true });
    await follower.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await vi.waitFor(() => expect(server.sockets('a').size).toBe(2), { timeout: 50_000, interval: 100 });
    await has(follower, [1]);
    expect([...server.sockets('a')].some((one) => one !== socket)).toBe(true);
  });

  test('two users have two sockets', async () => {
    await open('a');
    const other = await open('b');
    expect(server.sockets('a').size).toBe(1);
    expect(server.sockets('b').size).toBe(1);
    server.write();
    await has(other, [1]);
  });

  test('stopping leaves nothing behind, and starting again begins anew', async () => {
    const tab = await open('a');
    await tab.evaluate('live.stop()');
    await soon(() => expect(server.sockets('a').size).toBe(0));
    expect(await tab.evaluate('navigator.locks.query().then(({ held, pending }) => held.length + pending.length)')).toBe(0);
    await tab.evaluate('live.start(), live.stop(), live.start()');
    await soon(async () => expect(await tab.evaluate('state()')).toBe('live'));
    expect(server.sockets('a').size).toBe(1);
  });
});
