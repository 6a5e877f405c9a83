/** What stands around the inbox: banners, alerts, keys, the palette, settings, the service worker. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { api, conversationOf as idOf, Customer, sentTo, signedIn, stack, tokenOf, unique, webUrl } from './support';

test.use({ storageState: signedIn() });

async function openInbox(page: Page): Promise<void> {
  await page.goto('/');
  await expect(page.getByText(/^Up to date/).first()).toBeVisible();
}

/** A customer who wrote, and the id of the conversation. */
async function someone(name: string, text = 'Hello'): Promise<{ customer: Customer; id: number }> {
  const customer = new Customer(unique(name));
  await customer.writes(text);
  return { customer, id: await idOf(customer) };
}

/** Opens the palette, ready to be typed into. */
async function openPalette(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k');
  await expect(page.getByRole('combobox', { name: 'Find a conversation or an action' })).toBeFocused();
}

const conversationOf = (page: Page) => new URL(page.url()).searchParams.get('conversation');

test('being offline is told, and being back once everything is here', async ({ page, context }) => {
  await openInbox(page);
  await context.setOffline(true);
  await expect(page.getByText('You are offline.')).toBeVisible();
  await expect(page.getByText(/^Offline since/).first()).toBeVisible();
  const { customer } = await someone('Offline');
  await context.setOffline(false);
  await expect(page.getByText('You are offline.')).toBeHidden();
  await expect(page.getByText('Back online. Everything is up to date.').first()).toBeVisible();
  await expect(page.getByText(customer.name).first()).toBeVisible();
});

test('a socket that is cut, and a server that does not answer for a while, leave no gap, which is told', async ({ page }) => {
  const { customer, id } = await someone('Cut');
  let isCut = false;
  const sockets = new Set<{ close(): Promise<void> }>();
  await page.routeWebSocket(/live/, (socket) => {
    if (isCut) return void socket.close();
    socket.connectToServer();
    sockets.add(socket);
  });
  await page.route('**/api/live-chat/**', (route) => (isCut ? route.abort() : route.continue()));
  await page.goto(`/?conversation=${id}`);
  const feed = page.getByRole('feed');
  await expect(feed.getByRole('article', { name: /Hello$/ })).toBeVisible();
  await expect(page.getByText(/^Up to date/).first()).toBeVisible();
  await expect.poll(() => sockets.size).toBeGreaterThan(0);

  // The socket alone: what came meanwhile comes by the changes, or with the next one.
  for (const socket of sockets) await socket.close();
  await customer.writes('While the socket was away');
  await expect(feed.getByRole('article', { name: /While the socket was away$/ })).toBeVisible();

  isCut = true;
  for (const socket of sockets) await socket.close();
  await expect(page.getByText('The server cannot be reached.')).toBeVisible();
  await customer.writes('While nothing answered');
  const newcomer = await someone('Cut newcomer', 'Is anybody there?');
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill('Written in the meantime');
  await page.keyboard.press('Enter');
  await expect(page.getByText('1 message waits for the network.')).toBeVisible();
  await expect(feed.getByRole('article', { name: /While nothing answered$/ })).toHaveCount(0);
  isCut = false;
  await expect(page.getByText('Back online. Everything is up to date.').first()).toBeVisible({ timeout: 40_000 });
  await expect(feed.getByRole('article', { name: /While nothing answered$/ })).toHaveCount(1);
  await expect(page.getByText(newcomer.customer.name).first()).toBeVisible();
  await expect(page.getByText('The server cannot be reached.')).toBeHidden();
  await expect(page.getByText(/^Up to date/).first()).toBeVisible();
  await expect(feed.getByRole('article', { name: /Written in the meantime$/ }).getByRole('img', { name: 'Read', exact: true })).toBeVisible();
  expect(await sentTo(customer)).toHaveLength(1);
});

test('an ended session is told, and does not take the inbox away', async ({ browser }) => {
  const token = tokenOf(stack.user_id);
  const context = await browser.newContext({ storageState: signedIn(`${token.slice(0, -6)}AAAAAA`), baseURL: webUrl });
  const page = await context.newPage();
  await page.goto('/');
  const dialog = page.getByRole('dialog', { name: /sign in/i });
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByText(/^Your session has ended/)).toBeVisible();
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await expect(dialog).toBeVisible();
  await context.close();
});

test('the title counts what is unread', async ({ page }) => {
  await openInbox(page);
  await someone('Counted');
  await expect(page).toHaveTitle(/^\(\d+\+?\) /);
});

test('a conversation is found and opened in the palette by keyboard alone', async ({ page }) => {
  const { customer, id } = await someone('Palette');
  await openInbox(page);
  await openPalette(page);
  await page.keyboard.type(customer.name);
  const option = page.getByRole('group', { name: 'Conversations' }).getByRole('option', { name: customer.name });
  await expect(option).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('combobox')).toBeHidden();
  await expect.poll(() => conversationOf(page)).toBe(String(id));
});

test('the palette finds messages, and says when there is nothing', async ({ page }) => {
  const word = unique('needle').replace(' ', '');
  const { id } = await someone('Found', `Somewhere in here is a ${word} to be found`);
  await openInbox(page);
  await openPalette(page);
  await page.keyboard.type(word);
  await page.getByRole('group', { name: 'Messages' }).getByRole('option', { name: new RegExp(word) }).click();
  await expect.poll(() => conversationOf(page)).toBe(String(id));
  await openPalette(page);
  await page.keyboard.type('nothing has this name');
  await expect(page.getByText('Nothing found for “nothing has this name”.')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox')).toBeHidden();
});

test('an action of the palette runs, and its dialog keeps the focus', async ({ page }) => {
  await openInbox(page);
  await openPalette(page);
  await page.keyboard.type('keyboard');
  await expect(page.getByRole('option', { name: /^Keyboard shortcuts/ })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(sheet).toBeVisible();
  await expect(sheet.locator(':focus')).toHaveCount(1);
});

test('keys go through the conversations, archive one with a way back, and mark one unread', async ({ page }) => {
  const below = await someone('Below');
  const above = await someone('Above');
  await openInbox(page);
  await expect(page.getByText(above.customer.name).first()).toBeVisible();
  await page.goto(`/?conversation=${above.id}`);
  await expect(page.getByText(below.customer.name).first()).toBeVisible();
  await page.locator('body').click({ position: { x: 2, y: 2 } });

  await page.keyboard.press('j');
  await expect.poll(() => conversationOf(page)).not.toBe(String(above.id));
  await page.keyboard.press('k');
  await expect.poll(() => conversationOf(page)).toBe(String(above.id));

  const status = async () => (await api<{ conversation: { status: string } }>('GET', `/api/live-chat/conversations/${above.id}`)).conversation.status;
  await page.keyboard.press('e');
  await expect(page.getByText(`Archived: ${above.customer.name}`).first()).toBeVisible();
  await expect.poll(() => conversationOf(page)).not.toBe(String(above.id));
  await expect.poll(status).toBe('archived');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(status).toBe('active');
  await expect.poll(() => conversationOf(page)).toBe(String(above.id));

  await api('POST', `/api/live-chat/conversations/${above.id}/read`);
  await page.keyboard.press('u');
  const unread = async () => (await api<{ conversation: { unread_count: number } }>('GET', `/api/live-chat/conversations/${above.id}`)).conversation.unread_count;
  await expect.poll(unread).toBe(1);
  await expect.poll(() => conversationOf(page)).toBeNull();
});

test('letters that are typed into a field are text', async ({ page }) => {
  await openInbox(page);
  await page.keyboard.press('/');
  const search = page.getByRole('searchbox').first();
  await expect(search).toBeFocused();
  await page.keyboard.type('jke?');
  await expect(search).toHaveValue('jke?');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('shortcuts can be switched off, and stay off', async ({ page }) => {
  await openInbox(page);
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await sheet.getByRole('switch', { name: 'Use keyboard shortcuts' }).click();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await openInbox(page);
  await page.getByRole('button', { name: 'Settings' }).first().click();
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await expect(settings.getByRole('switch', { name: 'Use keyboard shortcuts' })).not.toBeChecked();
  await page.keyboard.press('Escape');
  await expect(settings).toBeHidden();
  await page.keyboard.press('?');
  await page.keyboard.press('ControlOrMeta+k');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('settings are kept', async ({ page }) => {
  await openInbox(page);
  const settings = page.getByRole('dialog', { name: 'Settings' });
  const open = () => page.getByRole('button', { name: 'Settings' }).first().click();
  await open();
  await settings.getByRole('radio', { name: 'Wood' }).check({ force: true });
  await settings.getByRole('slider', { name: 'Volume' }).press('Home');
  await settings.getByRole('button', { name: 'For 1 hour' }).click();
  await expect(settings.getByText(/^Muted until/)).toBeVisible();
  // Headless browsers have no push service: the page itself notifies.
  await settings.getByRole('switch', { name: 'Notify me on this computer' }).click();
  await expect(settings.getByText('As long as this page is open, also in the background.')).toBeVisible();
  await openInbox(page);
  await open();
  await expect(settings.getByRole('radio', { name: 'Wood' })).toBeChecked();
  await expect(settings.getByRole('slider', { name: 'Volume' })).toHaveValue('0.05');
  await expect(settings.getByRole('switch', { name: 'Notify me on this computer' })).toBeChecked();
  await settings.getByRole('button', { name: 'Unmute' }).click();
  await expect(settings.getByRole('button', { name: 'For 1 hour' })).toBeVisible();
});

/** How many tones a page has begun. */
const tones = (page: Page) => page.evaluate(() => (globalThis as unknown as { tones: number }).tones);

async function countTones(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const counted = globalThis as unknown as { tones: number };
    counted.tones = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when?: number) {
      counted.tones += 1;
      start.call(this, when);
    };
  });
}

test('a new message sounds in one of two tabs, and not in the conversation that is seen', async ({ context, page }) => {
  await countTones(context);
  const other = await context.newPage();
  const numbers = await api<{ phone_numbers: { phone_number_id: string }[] }>('GET', '/api/live-chat/phone-numbers');
  const quiet = numbers.phone_numbers.map(({ phone_number_id }) => phone_number_id).find((id) => id !== stack.phone_number_id) ?? stack.phone_number_id;
  const customer = new Customer(unique('Heard'), { phoneNumberId: quiet });
  for (const tab of [page, other]) {
    await openInbox(tab);
    // Browsers are silent before the first click. What others write to the other number in the meantime is not to be heard.
    await tab.getByRole('button', { name: 'Settings' }).first().click();
    const box = tab.getByRole('group', { name: 'Sounds for messages to' }).getByRole('checkbox').first();
    if (quiet !== stack.phone_number_id) await box.setChecked(false);
    await tab.keyboard.press('Escape');
  }
  const total = async () => (await tones(page)) + (await tones(other));
  const silence = await total();
  await customer.writes('Does it ring?');
  for (const tab of [page, other]) await expect(tab.getByText(customer.name).first()).toBeVisible();
  // A chime has three tones.
  await expect.poll(total).toBe(silence + 3);

  const find = async () => (await api<{ conversations: { id: number }[] }>('GET', `/api/live-chat/conversations?q=${customer.phone}`)).conversations[0]?.id;
  await page.goto(`/?conversation=${await find()}`);
  await expect(page.getByText('Does it ring?').first()).toBeVisible();
  await expect(page.getByText(/^Up to date/).first()).toBeVisible();
  const before = await tones(other);
  await customer.writes('And now?');
  for (const tab of [page, other]) await expect(tab.getByText('And now?').first()).toBeVisible();
  expect(await tones(page)).toBe(0);
  expect(await tones(other)).toBe(before);
});

test('the service worker shows one notification a conversation, and a click opens it', async ({ context, page }) => {
  const { customer, id } = await someone('Pushed');
  await openInbox(page);
  const scope = await page.evaluate(async () => {
    await navigator.serviceWorker.register('/service_worker.js');
    return (await navigator.serviceWorker.ready).scope;
  });
  const cdp = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL === scope);
      if (found) resolve(found.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  const registrationId = await registered;
  const push = (body: string | null, more: Record<string, unknown> = {}) =>
    cdp.send('ServiceWorker.deliverPushMessage', {
      origin: new URL(scope).origin,
      registrationId,
      data: JSON.stringify({ type: 'message', conversation_id: id, phone_number_id: stack.phone_number_id, unread_count: 1, title: customer.name, body, message_type: 'text', timestamp: new Date().toISOString(), ...more }),
    });
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }));
    });
  await push('Hello');
  await expect.poll(shown).toEqual([{ title: customer.name, body: 'Hello', tag: `waba-live-chat ${id}` }]);
  await push(null, { message_type: 'image' });
  await expect.poll(shown).toEqual([{ title: customer.name, body: 'Photo', tag: `waba-live-chat ${id}` }]);

  const worker = context.serviceWorkers()[0];
  await worker?.evaluate(async () => {
    const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const [notification] = await registration.getNotifications();
    // What a browser sends when it is clicked; nothing but a click can make a real one.
    const Click = (globalThis as unknown as { NotificationEvent: new (type: string, init: object) => Event }).NotificationEvent;
    dispatchEvent(new Click('notificationclick', { notification }));
  });
  await expect.poll(() => conversationOf(page)).toBe(String(id));
  await expect.poll(shown).toEqual([]);
});
