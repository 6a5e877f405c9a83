/** Tabs that lead and follow, where letters between them come late or not at all. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLive, type GetAccessToken, type Live, type LiveEvent } from '../src/core/index';
import { ModelBrowser, type ModelTab } from './model/browser';
import { GOOD, ModelServer } from './model/server';
import { seeded, VirtualClock } from './model/time';

interface Opened {
  tab: ModelTab;
  live: Live;
  /** The messages that it was told of. */
  told: (number | undefined)[];
  /** While it is set, answers do not arrive. */
  hold: Promise<void> | null;
}

let clock: VirtualClock;
let server: ModelServer;
let browser: ModelBrowser;
let opened: Opened[];

beforeEach(() => {
  clock = new VirtualClock();
  server = new ModelServer(clock, seeded(1));
  browser = new ModelBrowser(clock, seeded(2));
  opened = [];
});

afterEach(() => opened.forEach(({ live }) => live.stop()));

const token = `x.${btoa(JSON.stringify({ sub: 'agent' }))}.x`;
const isLive = ({ live }: Opened) => live.status.state === 'live';

/** Opens a tab and waits until it is live. */
async function open(visible = true, getAccessToken: GetAccessToken = () => Promise.resolve(token)): Promise<Opened> {
  const tab = browser.tab();
  tab.visible = visible;
  const ask = server.fetch(tab);
  const live = createLive({
    apiUrl: 'https://model',
    getAccessToken,
    fetch: async (input, init) => {
      const reply = await ask(input, init);
      await one.hold;
      return reply;
    },
    WebSocket: server.WebSocket(tab),
    clock: tab.clock,
    random: seeded(3),
    page: tab.page,
    browser: tab.browser,
  });
  const one: Opened = { tab, live, told: [], hold: null };
  live.subscribe((event: LiveEvent) => {
    if (event.type === 'changes') one.told.push(...event.changes.map(({ message }) => message?.id));
  });
  opened.push(one);
  live.start();
  await clock.until(() => isLive(one));
  return one;
}

/** From now on the tab waits for its answers; what it gives lets them through. */
function hold(one: Opened): () => void {
  let release = () => {};
  one.hold = new Promise((resolve) => (release = resolve));
  return () => {
    one.hold = null;
    release();
  };
}

/** What tabs tell each other meanwhile is lost. */
async function lose(what: () => unknown): Promise<void> {
  browser.lost = 1;
  await what();
  await clock.advance(100);
  browser.lost = 0;
}

describe('a tab that follows', () => {
  test('finds its own way when the leader jumps, even if it arrives somewhere meanwhile', async () => {
    const leader = await open();
    const follower = await open();
    await clock.advance(5_000);
    browser.apart = 1_000;
    server.network = { ...GOOD, lost: 1 };
    const release = hold(follower);
    void follower.live.catchUp();
    await clock.advance(100);
    // Its answer was read before this, and arrives between the leader's letters.
    const { id } = server.addMessage();
    expect(follower.told).not.toContain(id);
    server.answers.push({ path: '/changes', status: 410 });
    const reset = leader.live.now().signal;
    void leader.live.catchUp();
    await clock.until(() => reset.aborted);
    await clock.advance(2);
    release();
    await clock.advance(5 * 60_000);
    expect(follower.told).toContain(id);
  });

  test('does not take over the cursor of a leader whose letters are missing', async () => {
    const leader = await open();
    const follower = await open();
    const frame = () => server.openSockets[0]?.deliver({ type: 'typing', conversation_id: 1, truncated: false });
    server.network = { ...GOOD, lost: 1 };
    const page = async () => {
      const { id } = server.addMessage();
      void leader.live.catchUp();
      await clock.advance(100);
      return id;
    };

    const release = hold(follower);
    await lose(page);
    frame();
    await clock.advance(100);
    // It knows that it missed something, and has asked. The answer was read before this page, which it holds back.
    const id = await page();
    expect(follower.told).not.toContain(id);
    await lose(frame);
    frame();
    // Its question where the leader stands is lost too.
    await lose(() => {});
    release();
    await clock.advance(5 * 60_000);
    expect(follower.told).toContain(id);
  });

  test('that opens later hears nothing of what went before', async () => {
    const leader = await open();
    const conversation = server.addConversation();
    const frames = server.openSockets[0];
    server.network = { ...GOOD, lost: 1 };
    const message = server.addMessage(conversation);
    server.drop(conversation);
    void leader.live.catchUp();
    await clock.advance(100);
    const follower = await open();
    await clock.advance(100);
    // A frame that was long on its way: its message went with its conversation, of which the new tab never heard.
    frames?.deliver({ type: 'message.created', version: 1, id: message.id, conversation_id: message.conversation_id, message, truncated: false });
    await clock.advance(100);
    expect(follower.told).not.toContain(message.id);
  });

  test('joins the others although the token took for ever at first', async () => {
    await open();
    const getAccessToken = vi.fn<GetAccessToken>(() => Promise.resolve(token));
    for (let n = 0; n < 2; n += 1) getAccessToken.mockImplementationOnce(() => new Promise(() => {}));
    await open(true, getAccessToken);
    expect(server.openSockets).toHaveLength(1);
  });
});

describe('the socket of several tabs', () => {
  const looked = () => server.openSockets.at(-1)?.received.at(-1)?.visible;

  test('says that nobody looks when the tab that did has crashed', async () => {
    await open(false);
    const { tab } = await open();
    await clock.advance(1_000);
    expect(looked()).toBe(true);
    tab.die();
    await clock.advance(5 * 60_000);
    expect(looked()).toBe(false);
  });

  test('says at once that somebody looks when another tab takes over', async () => {
    const leader = await open();
    await open(false);
    await open();
    leader.tab.die();
    await clock.until(() => server.openSockets.length === 2);
    await clock.advance(100);
    expect(looked()).toBe(true);
  });
});
