/** The package in somebody else's application, with rules of its own for every element: `examples/host`, built and served by this test. */
import { expect, type Page, test } from '@playwright/test';
import { preview, type PreviewServer } from 'vite';
import { Customer } from './support';

let server: PreviewServer;
let url = '';

test.beforeAll(async () => {
  server = await preview({ configFile: 'examples/vite.config.ts', preview: { host: '127.0.0.1', port: 0, open: false }, logLevel: 'error' });
  const address = server.httpServer.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});

test.afterAll(() => server.close());

const first = (page: Page) => page.locator('.wlc.first');
const second = (page: Page) => page.locator('.wlc.second');

/** The rows of a list, whatever they are made of. */
const row = (inbox: ReturnType<typeof first>, name: string) => inbox.getByText(name, { exact: true }).first();

async function openHost(page: Page): Promise<void> {
  await page.goto(`${url}/host/index.html`);
  await expect(first(page).getByRole('searchbox').first()).toBeVisible();
  await expect(second(page).getByRole('searchbox').first()).toBeVisible();
}

test('two inboxes on one page show one number each, in their own language, and hear of messages', async ({ page }) => {
  await openHost(page);
  await expect(first(page)).toHaveAttribute('dir', 'rtl');
  await expect(second(page)).toHaveAttribute('dir', 'ltr');
  const one = new Customer(`Hosted One ${Date.now()}`);
  const two = new Customer(`Hosted Two ${Date.now()}`, { phoneNumberId: '200000000000002' });
  await one.writes('Bonjour');
  await two.writes('Good morning');
  await expect(row(first(page), one.name)).toBeVisible();
  await expect(row(second(page), two.name)).toBeVisible();
  await expect(first(page).getByText(two.name)).toHaveCount(0);
  await row(second(page), two.name).click();
  await expect(second(page).getByText('Good morning').last()).toBeVisible();
  // The other one still shows its list.
  await expect(row(first(page), one.name)).toBeVisible();
});

test('rules of the host change nothing inside, and ours change nothing of the host', async ({ page }) => {
  const customer = new Customer(`Styled ${Date.now()}`, { phoneNumberId: '200000000000002' });
  await customer.writes('*Bold* and https://example.com');
  // What is on its way from one look to another has neither.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openHost(page);
  await row(second(page), customer.name).click();
  await expect(second(page).getByRole('textbox').last()).toBeVisible();
  await page.mouse.move(0, 0);
  const differences = await page.evaluate(() => {
    const sheet = (words: string) => [...document.styleSheets].find((sheet) => [...sheet.cssRules].some((rule) => rule.cssText.includes(words)));
    const [hosts, ours] = [sheet('cursor: crosshair'), sheet('--wlc-canvas')];
    if (!hosts || !ours) throw new Error('A style sheet is missing');
    const properties = [...getComputedStyle(document.body)].filter((name) => !name.startsWith('--'));
    const read = (elements: readonly Element[]) => elements.map((element) => {
      const style = getComputedStyle(element);
      return properties.map((name) => style.getPropertyValue(name));
    });
    // Sizes and places follow from the room that the host gives, and are compared by what makes them.
    const ignored = /^(-webkit-)?(width|height|block-size|inline-size|perspective-origin|transform-origin|grid-template-(columns|rows)|top|bottom|left|right|inset-.*|transform|transition-.*|d)$/;
    const compare = (elements: readonly Element[], other: CSSStyleSheet) => {
      const before = read(elements);
      other.disabled = true;
      const after = read(elements);
      other.disabled = false;
      return elements.flatMap((element, index) =>
        properties.flatMap((name, at) => {
          const [is, would] = [before[index]?.[at], after[index]?.[at]];
          const follows = ignored.test(name) || (/^max-(width|inline-size)$/.test(name) && element.className.toString().includes('cqw'));
          return is === would || follows ? [] : [`<${element.localName} class="${element.getAttribute('class') ?? ''}"> ${name}: ${is} instead of ${would}`];
        }),
      );
    };
    const inside = [...document.querySelectorAll('.wlc, .wlc *')].filter((element) => !element.closest('[style*="display: none"]'));
    const outside = ['html', 'body', '#host-title', '#host-text', '#host-button'].map((selector) => document.querySelector(selector)).filter((element) => element !== null);
    return [...compare(inside, hosts), ...compare(outside, ours)];
  });
  expect(differences.slice(0, 20)).toEqual([]);
});

test('the host keeps its title, its <html> and its history', async ({ page }) => {
  await openHost(page);
  const before = await page.evaluate(() => ({ title: document.title, html: document.documentElement.cloneNode(false), length: history.length, url: location.href }).title + document.documentElement.outerHTML.slice(0, 80) + history.length + location.href);
  const customer = new Customer(`Quiet ${Date.now()}`, { phoneNumberId: '200000000000002' });
  await customer.writes('Hello');
  await row(second(page), customer.name).click();
  await expect(second(page).getByText('Hello').last()).toBeVisible();
  const after = await page.evaluate(() => document.title + document.documentElement.outerHTML.slice(0, 80) + history.length + location.href);
  expect(after).toBe(before);
});

test('what is taken away leaves no socket, channel, timer, lock or listener behind', async ({ page }) => {
  await page.addInitScript(() => {
    const open = { sockets: new Set<WebSocket>(), channels: new Set<BroadcastChannel>(), intervals: new Set<unknown>(), listeners: new Map<string, number>() };
    Object.assign(window, { open_: open });
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
      constructor(...parts: ConstructorParameters<typeof Socket>) {
        super(...parts);
        open.sockets.add(this);
        this.addEventListener('close', () => open.sockets.delete(this));
      }
    };
    const Channel = window.BroadcastChannel;
    window.BroadcastChannel = class extends Channel {
      constructor(name: string) {
        super(name);
        open.channels.add(this);
      }
      override close() {
        open.channels.delete(this);
        super.close();
      }
    };
    const { setInterval, clearInterval } = window;
    Object.assign(window, {
      setInterval: (...parts: Parameters<typeof setInterval>) => {
        const id = setInterval(...parts);
        open.intervals.add(id);
        return id;
      },
      clearInterval: (id: ReturnType<typeof setInterval>) => {
        open.intervals.delete(id);
        clearInterval(id);
      },
    });
    for (const target of [window, document]) {
      const { addEventListener, removeEventListener } = target;
      const live = new Map<string, Set<unknown>>();
      const keyOf = (type: string, options: unknown) => `${type} ${typeof options === 'object' ? Boolean((options as AddEventListenerOptions | null)?.capture) : Boolean(options)}`;
      const count = () => open.listeners.set(target === window ? 'window' : 'document', [...live.values()].reduce((sum, set) => sum + set.size, 0));
      Object.assign(target, {
        addEventListener: (type: string, listener: EventListener, options?: AddEventListenerOptions | boolean) => {
          const key = keyOf(type, options);
          const set = live.get(key) ?? new Set();
          live.set(key, set.add(listener));
          count();
          const signal = typeof options === 'object' ? options.signal : undefined;
          const drop = () => { set.delete(listener); count(); };
          if (signal?.aborted) drop();
          signal?.addEventListener('abort', drop);
          addEventListener.call(target, type, listener, options);
        },
        removeEventListener: (type: string, listener: EventListener, options?: EventListenerOptions | boolean) => {
          live.get(keyOf(type, options))?.delete(listener);
          count();
          removeEventListener.call(target, type, listener, options);
        },
      });
    }
  });
  const state = () =>
    page.evaluate(async () => {
      const { sockets, channels, intervals, listeners } = (window as unknown as { open_: { sockets: Set<unknown>; channels: Set<unknown>; intervals: Set<unknown>; listeners: Map<string, number> } }).open_;
      const locks = await navigator.locks.query();
      return { sockets: sockets.size, channels: channels.size, intervals: intervals.size, locks: (locks.held ?? []).length + (locks.pending ?? []).length, window: listeners.get('window') ?? 0, document: listeners.get('document') ?? 0 };
    });
  await openHost(page);
  const button = page.locator('#host-button');
  // The first time leaves what React itself listens to at the document.
  await expect.poll(async () => (await state()).sockets).toBeGreaterThan(0);
  await button.click();
  await expect(first(page)).toHaveCount(0);
  await expect.poll(state).toMatchObject({ sockets: 0, channels: 0, intervals: 0, locks: 0 });
  const left = await state();
  await button.click();
  await expect(second(page).getByRole('searchbox').first()).toBeVisible();
  await expect.poll(async () => (await state()).sockets).toBeGreaterThan(0);
  await button.click();
  await expect.poll(state).toEqual(left);
});

test('the parts make another layout, and its own button sends by a hook', async ({ page }) => {
  const customer = new Customer(`Parts ${Date.now()}`);
  await customer.writes('Thanks for the quick answer');
  await page.goto(`${url}/parts/index.html`);
  await expect(page.locator('#state')).toContainText('live');
  const inbox = page.locator('.wlc.desk');
  await row(inbox, customer.name).click();
  await page.getByRole('button', { name: `Thank ${customer.name}` }).click();
  await expect(inbox.getByText(`Thank you, ${customer.name}!`).first()).toBeVisible();
});
