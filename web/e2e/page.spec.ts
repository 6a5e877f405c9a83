/** The page by itself: signing in and out, its address, what it keeps. */
import { type BrowserContext, expect, type Page, type Route, test } from '@playwright/test';
import { conversationOf, Customer, newAgent, newPhone, postWebhook, signedIn, signedOut, stack, unique, webUrl } from './support';

const inList = (page: Page, name: string) => page.getByRole('main').getByText(name, { exact: true }).first();
const account = (page: Page) => page.getByRole('button', { name: 'Account, language and appearance' });
const signInButton = (page: Page) => page.getByRole('button', { name: 'Sign in as the demo agent' });

test.describe('a new browser', () => {
  test.use({ storageState: signedOut });

  test('signs in as the demo agent by one click, and stays signed in', async ({ page }) => {
    const customer = new Customer(`Sign In ${Date.now()}`);
    await customer.writes('Hello');
    await page.goto('/');
    await signInButton(page).click();
    await expect(inList(page, customer.name)).toBeVisible();
    await page.reload();
    await expect(inList(page, customer.name)).toBeVisible();
    await expect(page.getByRole('link', { name: /Customer's phone/ })).toHaveAttribute('href', stack.simulator_url);
  });

  test('says what is wrong with a token', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('textbox', { name: 'Access token' }).fill('nonsense');
    await page.getByRole('button', { name: 'Sign in with this token' }).click();
    await expect(page.getByRole('alert')).toHaveText('This is not an access token.');
    await expect(page.getByRole('textbox', { name: 'Access token' })).toHaveAttribute('aria-invalid', 'true');
  });

  test('names the key that config.json lacks', async ({ page }) => {
    await page.route('**/config.json', (route) => route.fulfill({ json: { api_url: '', supabase_url: 'https://example.supabase.co' } }));
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText('supabase_publishable_key');
    await page.unroute('**/config.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(signInButton(page)).toBeVisible();
  });

  test('signs in by Supabase with a password, hears of a wrong one, and signs out', async ({ page }) => {
    const user = { id: stack.user_id, aud: 'authenticated', role: 'authenticated', email: 'agent@example.com', app_metadata: {}, user_metadata: {}, created_at: '2026-01-01T00:00:00Z' };
    const supabase = 'https://example.supabase.co';
    await page.route('**/config.json', (route) => route.fulfill({ json: { api_url: '', supabase_url: supabase, supabase_publishable_key: 'sb_publishable_test' } }));
    // The tests' page has a policy for the local stack alone.
    await page.route(`${webUrl}/`, async (route) => {
      const { 'content-security-policy': _, ...headers } = (await route.fetch()).headers();
      await route.fulfill({ response: await route.fetch(), headers });
    });
    const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    await page.route(`${supabase}/auth/v1/**`, async (route) => {
      const request = route.request();
      if (request.method() === 'OPTIONS') return route.fulfill({ status: 204, headers: cors });
      if (!request.url().includes('/token')) return route.fulfill({ status: 204, headers: cors });
      expect(request.headers()['apikey']).toBe('sb_publishable_test');
      const { password } = request.postDataJSON() as { password?: string };
      if (password !== 'right') return route.fulfill({ status: 400, headers: cors, json: { code: 'invalid_credentials', error_code: 'invalid_credentials', msg: 'Invalid login credentials' } });
      const session = { access_token: stack.agent_token, refresh_token: 'r', token_type: 'bearer', expires_in: 86_400, expires_at: Math.floor(Date.now() / 1000) + 86_400, user };
      return route.fulfill({ headers: cors, json: session });
    });
    await page.goto('/');
    await page.getByRole('textbox', { name: 'Email address' }).fill('agent@example.com');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(page.getByRole('alert')).toHaveText('The email address or the password is wrong.');
    await page.getByLabel('Password').fill('right');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(account(page)).toBeVisible();
    await page.reload();
    await account(page).click();
    await expect(page.getByRole('menu')).toContainText('agent@example.com');
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page.getByRole('textbox', { name: 'Email address' })).toBeVisible();
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('supabase')))).toEqual([]);
  });

  test('keeps the language and the look that were chosen', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('combobox', { name: 'Language' }).selectOption('ar');
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await page.locator('select').nth(1).selectOption('dark');
    await expect(page.locator('.wlc').first()).toHaveAttribute('data-theme', 'dark');
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('lang', 'ar');
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await expect(page.locator('.wlc').first()).toHaveAttribute('data-theme', 'dark');
    await expect(page.locator('meta[name=theme-color]')).toHaveAttribute('content', '#111b21');
  });
});

test('two agents in two browsers each see their own customers, and nothing of each other: listed, searched, by address, or as it happens', async ({ page, browser }) => {
  const other = await newAgent();
  const mine = new Customer(unique('Mine'));
  const [words, answer] = [unique('For the demo agent'), unique('From the demo agent')];
  await mine.writes(words);
  const id = await conversationOf(mine);
  const context: BrowserContext = await browser.newContext({ storageState: signedIn(other.token, 'the other agent') });
  try {
    const theirs = await context.newPage();
    // All that reaches them, shown or not.
    const heard: string[] = [];
    theirs.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(String(payload))));
    theirs.on('response', (response) => {
      if (response.url().includes('/api/')) void response.text().then((body) => heard.push(body), () => {});
    });
    await page.goto(`/?conversation=${id}`);
    await expect(page.getByRole('article', { name: new RegExp(words) })).toBeVisible();
    await theirs.goto('/');
    await expect(theirs.getByText('Another Shop').first()).toBeVisible();
    await expect(theirs.getByText(/^Up to date/).first()).toBeVisible();

    // As it happens: to the one, by the other, and to the other.
    await mine.writes(`${words} once more`);
    await expect(page.getByRole('article', { name: new RegExp(`${words} once more`) })).toBeVisible();
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill(answer);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('article', { name: new RegExp(answer) }).getByRole('img', { name: 'Read', exact: true })).toBeVisible();
    const [name, phone, text] = [unique('Theirs'), newPhone(), unique('For the other agent')];
    const message = { from: phone, id: `wamid.${unique('theirs').replaceAll(/\W/g, '')}`, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: text } };
    const value = { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550100099', phone_number_id: other.phoneNumberId }, contacts: [{ profile: { name }, wa_id: phone }], messages: [message] };
    await postWebhook({ object: 'whatsapp_business_account', entry: [{ id: other.wabaId, changes: [{ field: 'messages', value }] }] });
    await expect(inList(theirs, name)).toBeVisible();
    await inList(theirs, name).click();
    await expect(theirs.getByRole('article', { name: new RegExp(text) })).toBeVisible();
    const theirId = new URL(theirs.url()).searchParams.get('conversation');

    // Searched for.
    for (const [who, words] of [[theirs, [mine.name, mine.phone, answer]], [page, [name, phone, text]]] as const) {
      for (const word of words) {
        await who.getByRole('searchbox').first().fill(word);
        await expect(who.getByText(/^Nothing found for/)).toBeVisible();
      }
      await who.getByRole('searchbox').first().press('Escape');
    }
    // By its address.
    for (const [who, conversation] of [[theirs, id], [page, theirId]] as const) {
      await who.goto(`/?conversation=${conversation}`);
      await expect(who.getByText(/^This conversation is not here/)).toBeVisible();
    }
    for (const secret of [mine.name, mine.phone, words, answer]) expect(heard.filter((one) => one.includes(secret))).toEqual([]);
    expect(heard.some((one) => one.includes(text))).toBe(true);
    await expect(page.getByText(text)).toHaveCount(0);
  } finally {
    await context.close();
  }
});

test('a conversation has an address, which the browser goes back and forward through', async ({ page }) => {
  const [one, two] = [new Customer(`Address One ${Date.now()}`), new Customer(`Address Two ${Date.now()}`)];
  await one.writes('The first of the two');
  await two.writes('The second of the two');
  const [first, second] = [await conversationOf(one), await conversationOf(two)];
  const feed = page.getByRole('main');
  await page.goto('/');
  await inList(page, one.name).click();
  await expect(page).toHaveURL(new RegExp(`conversation=${first}\\b`));
  await inList(page, two.name).click();
  await expect(page).toHaveURL(new RegExp(`conversation=${second}\\b`));
  await expect(feed.getByText('The second of the two').last()).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`conversation=${first}\\b`));
  await expect(feed.getByText('The first of the two').last()).toBeVisible();
  await page.goBack();
  await expect(page).not.toHaveURL(/conversation=/);
  await page.goForward();
  await expect(page).toHaveURL(new RegExp(`conversation=${first}\\b`));
  // By itself, as a colleague or a notification opens it.
  await page.goto(`/?conversation=${second}&number=${two.phoneNumberId}`);
  await expect(feed.getByText('The second of the two').last()).toBeVisible();
});

test('signing out leaves nothing of the agent in the browser', async ({ page }) => {
  const customer = new Customer(`Leaving ${Date.now()}`);
  await customer.writes('A message that is nobody else’s business');
  await page.goto('/');
  await inList(page, customer.name).click();
  await expect(page.getByRole('main').getByText('A message that is nobody else’s business').last()).toBeVisible();
  await account(page).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(signInButton(page)).toBeVisible();
  const left = await page.evaluate(async () => {
    const rows: unknown[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error(name));
      });
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAll();
        rows.push(...(await new Promise<unknown[]>((resolve) => (request.onsuccess = () => resolve(request.result)))));
      }
      database.close();
    }
    return { rows, session: localStorage.getItem('waba-live-chat.session') };
  });
  expect(left).toEqual({ rows: [], session: null });
});

test.describe('what was shown last', () => {
  const isKept = (page: Page, text: string) =>
    page.evaluate(async (text) => {
      for (const { name = '' } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve) => (indexedDB.open(name).onsuccess = ({ target }) => resolve((target as IDBOpenDBRequest).result)));
        const rows = await new Promise<unknown[]>((resolve) => (database.transaction('cache').objectStore('cache').getAll().onsuccess = ({ target }) => resolve((target as IDBRequest<unknown[]>).result)));
        database.close();
        if (JSON.stringify(rows).includes(text)) return true;
      }
      return false;
    }, text);
  const shown = async (page: Page): Promise<Customer> => {
    const customer = new Customer(unique('Shown Last'));
    await customer.writes('Hello');
    await page.goto('/');
    await expect(inList(page, customer.name)).toBeVisible();
    await expect.poll(() => isKept(page, customer.name)).toBe(true);
    await page.goto('about:blank');
    return customer;
  };
  const heldConfig = async (page: Page, fulfil: Parameters<Route['fulfill']>[0] | null) => {
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    await page.route('**/config.json', async (route) => {
      await held;
      await (fulfil ? route.fulfill(fulfil) : route.continue());
    });
    return go;
  };
  const requests = (page: Page) => {
    const asked: string[] = [];
    page.on('request', (request) => request.url().includes('/api/') && asked.push(request.url()));
    return asked;
  };

  test('is drawn before the network answers, and nothing is sent before it is known where to', async ({ page }) => {
    const customer = await shown(page);
    const asked = requests(page);
    const go = await heldConfig(page, null);
    await page.goto('/');
    await expect(inList(page, customer.name)).toBeVisible();
    expect(asked).toEqual([]);
    go();
    await expect(page.getByText(/^Up to date/).first()).toBeVisible();
    await customer.writes('Are you there?');
    await expect(page.getByRole('row').filter({ hasText: customer.name })).toContainText('Are you there?');
  });

  test('by another configuration is shown no more, and its API is not asked', async ({ page }) => {
    const customer = await shown(page);
    const asked = requests(page);
    const go = await heldConfig(page, { json: { api_url: `${webUrl}/elsewhere`, agents: [] } });
    await page.goto('/');
    await expect(inList(page, customer.name)).toBeVisible();
    go();
    await expect(page.getByRole('main').getByText(customer.name)).toHaveCount(0);
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    expect(asked.filter((url) => !url.startsWith(`${webUrl}/elsewhere/`))).toEqual([]);
  });

  test('gives way to what is wrong with the configuration', async ({ page }) => {
    const customer = await shown(page);
    const asked = requests(page);
    const go = await heldConfig(page, { status: 404 });
    await page.goto('/');
    await expect(inList(page, customer.name)).toBeVisible();
    go();
    await expect(page.getByRole('heading', { name: 'Live chat cannot start' })).toBeVisible();
    expect(asked).toEqual([]);
    await page.unroute('**/config.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(inList(page, customer.name)).toBeVisible();
  });
});

test('a session that ends asks to sign in again, over an inbox that keeps what was written', async ({ page }) => {
  const customer = new Customer(`Expiring ${Date.now()}`);
  await customer.writes('Are you there?');
  await page.goto(`/?conversation=${await conversationOf(customer)}`);
  const field = page.getByRole('textbox', { name: /message/i }).last();
  await field.fill('I was just writing');
  let isRefused = true;
  await page.route('**/api/live-chat/**', (route) => (isRefused ? route.fulfill({ status: 401, json: { error: { code: 'unauthorized', message: 'The token has expired' } } }) : route.continue()));
  // What asks the API again: the page is looked at once more.
  await page.evaluate(() => dispatchEvent(new Event('online')));
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await expect(dialog).toBeVisible();
  isRefused = false;
  await dialog.getByRole('button', { name: 'Sign in as the demo agent' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(field).toHaveValue('I was just writing');
  await customer.writes('Still here?');
  await expect(page.getByRole('main').getByText('Still here?').last()).toBeVisible();
});
