/** However the network, the server's frames and the browser's tabs behave: in the end each tab has what the server has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLive, type Live, Mirror } from '../src/core/index';
import { loadAll } from './load';
import { ModelBrowser, type ModelTab } from './model/browser';
import { AWAKE, BAD, GOOD, ModelServer } from './model/server';
import { seeded, VirtualClock } from './model/time';

const RUNS = Number(process.env['RUNS'] ?? 300);

/** A page with a mirror that loads everything. */
class View {
  readonly mirror = new Mirror();
  readonly live: Live;
  readonly tab: ModelTab | null;
  #loading = 0;

  constructor(server: ModelServer, tab: ModelTab | null, random: () => number) {
    this.tab = tab;
    const place = tab ?? AWAKE;
    const clock = tab?.clock ?? server.clock;
    this.live = createLive({
      apiUrl: 'https://model',
      getAccessToken: () => Promise.resolve(token('agent')),
      fetch: server.fetch(place),
      WebSocket: server.WebSocket(place),
      clock,
      random,
      browser: tab?.browser ?? null,
      ...(tab && { page: tab.page }),
    });
    this.mirror.follow(this.live);
    this.live.subscribe((event) => {
      if (event.type !== 'reset') return;
      this.#loading += 1;
      const pause = () => new Promise<void>((resolve) => void clock.after(500, resolve));
      void loadAll(this.live, this.mirror, pause).finally(() => (this.#loading -= 1));
    });
    this.live.start();
  }

  get idle(): boolean {
    return this.#loading === 0;
  }

  state() {
    return {
      conversations: [...this.mirror.conversations.values()].toSorted((a, b) => a.id - b.id),
      messages: [...this.mirror.messages()].toSorted((a, b) => a.id - b.id),
      phoneNumbers: [...this.mirror.phoneNumbers.values()].toSorted((a, b) => a.phone_number_id.localeCompare(b.phone_number_id)),
    };
  }
}

function token(user: string): string {
  return `x.${Buffer.from(JSON.stringify({ sub: user })).toString('base64url')}.x`;
}

/** One thing that happens, and how long until the next. */
const step = fc.record({
  what: fc.constantFrom('write', 'write', 'write', 'burst', 'cut', 'offline', 'expire', 'open', 'freeze', 'die', 'visible', 'wait', 'mute'),
  which: fc.nat(5),
  pause: fc.constantFrom(0, 5, 300, 4_000, 30_000),
});
const history = fc.record({ seed: fc.integer(), tabs: fc.constantFrom(0, 1, 3), steps: fc.array(step, { maxLength: 60, size: 'max' }) });

test('in the end a client has what the server has', { timeout: 600_000 }, async () => {
  const run = fc.asyncProperty(history, async ({ seed, tabs, steps }) => {
    const random = seeded(seed);
    const clock = new VirtualClock();
    const server = new ModelServer(clock, random);
    const browser = new ModelBrowser(clock, random);
    server.network = BAD;
    browser.lost = 0.1;
    browser.apart = 1_000;
    const open = () => views.push(new View(server, tabs > 0 ? browser.tab() : null, random));
    const views: View[] = [];
    for (let n = 0; n < Math.max(1, tabs); n += 1) open();

    for (const { what, which, pause } of steps) {
      const view = views[which % views.length] as View;
      const { tab } = view;
      const socket = server.openSockets[which];
      if (what === 'write') server.write();
      else if (what === 'burst') for (let n = 0; n < which * 12; n += 1) server.write();
      else if (what === 'cut') socket?.cut(which % 2 ? 1006 : 1001);
      else if (what === 'expire') server.expire();
      else if (what === 'mute') server.mute = which === 0;
      else if (what === 'visible') tab?.setVisible(which % 2 === 0);
      else if (what === 'offline' && tab) {
        tab.setOnline(false);
        clock.after(which * 7_000, () => tab.setOnline(true));
      } else if (what === 'freeze' && tab) {
        tab.freeze();
        clock.after(which * 15_000, () => tab.thaw());
      } else if (what === 'die' && tab && views.length > 1) {
        tab.die();
        views.splice(views.indexOf(view), 1);
      } else if (what === 'open' && tab && views.length < 5) open();
      await clock.advance(pause * random());
    }

    // The trouble ends; what it left behind must be made good without help, by one poll at the latest.
    server.network = GOOD;
    server.mute = false;
    browser.lost = 0;
    browser.apart = 0;
    await clock.advance(240_000);
    await clock.until(() => views.every((view) => view.idle));
    for (const view of views) {
      expect(view.state()).toEqual(server.state());
      expect(view.live.status.state).toBe('live');
      expect(clock.now() - (view.live.status.upToDateAt ?? 0)).toBeLessThan(70_000);
    }
    if (tabs > 0) expect(new Set(views.map((view) => view.live.status.upToDateAt)).size).toBe(1);

    // Frames alone carry on from here.
    server.write();
    await clock.advance(1_000);
    for (const view of views) expect(view.state()).toEqual(server.state());

    for (const view of views) view.live.stop();
    await clock.advance(0);
    expect(browser.locks).toBe(0);
    expect(browser.channels.size).toBe(0);
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });
  await fc.assert(run, { numRuns: RUNS, ...(process.env['SEED'] && { seed: Number(process.env['SEED']) }) });
});
