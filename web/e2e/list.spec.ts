/** The list of conversations, the choice of a number, and the contact panel, as an agent works with them. */
import { randomUUID } from 'node:crypto';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, Customer, stack } from './support';

interface Known {
  id: number;
  customer_name: string;
  unread_count: number;
}

const mine: Customer[] = [];

/** A customer whose name no other test has; nobody's list is left full of them. */
function customer(name: string, more?: { phoneNumberId: string }): Customer {
  const made = new Customer(`${name} ${randomUUID().slice(0, 8)}`, more);
  mine.push(made);
  return made;
}

async function find({ phone }: Customer): Promise<Known | undefined> {
  return (await api<{ conversations: Known[] }>('GET', `/api/live-chat/conversations?q=${phone}`)).conversations[0];
}

/** The conversation of one who wrote, once the API has it. */
async function known(customer: Customer): Promise<Known> {
  await expect.poll(async () => (await find(customer))?.id, { message: `${customer.name}'s conversation` }).toBeGreaterThan(0);
  return (await find(customer)) as Known;
}

test.afterEach(async () => {
  for (const customer of mine.splice(0)) {
    const conversation = await find(customer);
    if (conversation) await api('PATCH', `/api/live-chat/conversations/${conversation.id}`, { status: 'archived' });
  }
});

const list = (page: Page) => page.getByRole('region', { name: 'Conversations' });
const row = (page: Page, { name }: Customer) => list(page).getByRole('row').filter({ hasText: name });
const chip = (page: Page, name: string) => page.getByRole('radio', { name });

/** WhatsApp tells whole seconds: who wrote when is given where the order counts. Only what is recent is drawn, on top of what other tests left. */
const secondsAgo = (seconds: number) => ({ timestamp: String(Math.floor(Date.now() / 1000) - seconds) });

async function placeOf(row: Locator): Promise<number> {
  return Number(await row.getAttribute('aria-rowindex'));
}

async function open(page: Page): Promise<void> {
  await page.goto('/');
  await expect(list(page).getByRole('grid')).toBeVisible();
}

async function menuOf(page: Page, row: Locator, item: string): Promise<void> {
  await row.click({ button: 'right' });
  await page.getByRole('menuitem', { name: item }).click();
}

test('conversations come, move up and change without a reload', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await open(page);
  await ada.writes('Is the shop open?', secondsAgo(2));
  await expect(row(page, ada)).toContainText('Is the shop open?');
  await expect(row(page, ada).getByRole('img', { name: '1 unread' })).toBeVisible();
  await known(ada);
  await ben.writes('Hello', secondsAgo(1));
  await expect(row(page, ben)).toBeVisible();
  await expect.poll(async () => (await placeOf(row(page, ada))) > (await placeOf(row(page, ben)))).toBe(true);
  await ada.sends({ type: 'image', image: { caption: 'This one' } });
  await expect(row(page, ada)).toContainText('This one');
  await expect(row(page, ada).getByRole('img', { name: '2 unread' })).toBeVisible();
  await expect.poll(async () => (await placeOf(row(page, ada))) < (await placeOf(row(page, ben)))).toBe(true);
});

test('an answer shows how far it has come', async ({ page }) => {
  const ada = customer('Ada');
  await ada.writes('Hello?');
  const { id } = await known(ada);
  await open(page);
  await expect(row(page, ada)).toContainText('Waiting for an answer');
  await api('POST', '/api/live-chat/send-message', { conversation_id: id, message: 'Good morning' });
  await expect(row(page, ada)).toContainText('Good morning');
  await expect(row(page, ada).getByRole('img', { name: /^(Sent|Delivered|Read)$/ })).toBeVisible();
  await expect(row(page, ada)).not.toContainText('Waiting for an answer');
});

test('filters show what they say, and keep the open conversation until another is opened', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await ada.writes('Hello');
  await ben.writes('Hello');
  const [{ id }] = [await known(ada), await known(ben)];
  await open(page);
  await chip(page, 'Unread').click();
  await expect(row(page, ben)).toBeVisible();
  await row(page, ada).click();
  await expect(row(page, ada)).toHaveAttribute('aria-current', 'true');
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  await expect(row(page, ada).getByRole('img', { name: /unread/ })).toHaveCount(0);
  await expect(row(page, ada)).toBeVisible();
  await row(page, ben).click();
  await expect(row(page, ada)).toHaveCount(0);

  await chip(page, 'Unanswered').click();
  await expect(row(page, ada)).toBeVisible();
  await api('POST', '/api/live-chat/send-message', { conversation_id: id, message: 'Here I am' });
  await expect(row(page, ada)).toHaveCount(0);
});

test('closing soon has those whose window closes within four hours', async ({ page }) => {
  const [soon, later] = [customer('Soon'), customer('Later')];
  await soon.writes('Today?', secondsAgo(22 * 3600));
  await later.writes('Tomorrow?');
  await known(soon);
  await known(later);
  await open(page);
  await expect(row(page, later)).toBeVisible();
  await chip(page, 'Closing soon').click();
  await expect(row(page, soon)).toContainText(/The customer service window closes in 1h/);
  await expect(row(page, later)).toHaveCount(0);
});

test('those who wait longest come first where that is wanted', async ({ page }) => {
  const [first, second] = [customer('First'), customer('Second')];
  await first.writes('I wrote first', secondsAgo(21 * 86_400));
  await second.writes('I wrote second', secondsAgo(20 * 86_400));
  await known(first);
  await known(second);
  await open(page);
  await page.getByRole('button', { name: 'Order: Newest first' }).click();
  await page.getByRole('menuitemradio', { name: 'Longest waiting first' }).click();
  await expect(page.getByRole('button', { name: 'Order: Longest waiting first' })).toBeVisible();
  await expect(row(page, first)).toBeVisible();
  expect(await placeOf(row(page, first))).toBeLessThan(await placeOf(row(page, second)));
});

test('the search finds names, numbers and words, and opens the conversation where they were written', async ({ page }) => {
  const ada = customer('Ada');
  const word = `needle${randomUUID().slice(0, 6)}`;
  await ada.writes(`There is a ${word} in this`);
  await known(ada);
  for (let count = 1; count <= 60; count += 1) await ada.writes(`Line ${count}`);
  await open(page);
  const search = page.getByRole('searchbox', { name: 'Search conversations and messages' });
  await search.fill(ada.name);
  await expect(row(page, ada)).toBeVisible();
  await search.fill(ada.phone);
  await expect(row(page, ada)).toBeVisible();
  await search.fill(word);
  await expect(row(page, ada)).toContainText(`There is a ${word} in this`);
  await expect(list(page).getByText(word, { exact: true })).toHaveJSProperty('tagName', 'MARK');
  await row(page, ada).click();
  await expect(page.getByRole('feed').getByText(`There is a ${word} in this`)).toBeInViewport();
  await search.press('Escape');
  await expect(row(page, ada)).toHaveAttribute('aria-current', 'true');
  await search.fill(`nothing${randomUUID()}`);
  await expect(list(page).getByText(/^Nothing found for/)).toBeVisible();
  await list(page).getByRole('button', { name: 'Clear the search' }).last().click();
  await expect(row(page, ada)).toBeVisible();
});

test('several are archived, brought back and marked together', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await ada.writes('Hello');
  await ben.writes('Hello');
  const both = [await known(ada), await known(ben)];
  await open(page);
  const select = async () => {
    await row(page, ada).getByRole('checkbox').click();
    await row(page, ben).click();
    await expect(page.getByRole('toolbar', { name: 'Selected conversations' })).toContainText('2 selected');
  };
  const bar = page.getByRole('toolbar', { name: 'Selected conversations' });
  await select();
  await bar.getByRole('button', { name: 'Mark as read' }).click();
  await expect(page.getByText('2 conversations marked as read').first()).toBeVisible();
  for (const one of [ada, ben]) await expect(row(page, one).getByRole('img', { name: /unread/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  for (const one of [ada, ben]) await expect(row(page, one).getByRole('img', { name: '1 unread' })).toBeVisible();

  await select();
  await bar.getByRole('button', { name: 'Archive' }).click();
  await expect(row(page, ada)).toHaveCount(0);
  await expect(row(page, ben)).toHaveCount(0);
  await page.getByRole('listitem').filter({ hasText: '2 conversations archived' }).getByRole('button', { name: 'Undo' }).click();
  await expect(row(page, ada)).toBeVisible();
  await expect(row(page, ben)).toBeVisible();
  for (const { id } of both) {
    const { conversation } = await api<{ conversation: { status: string } }>('GET', `/api/live-chat/conversations/${id}`);
    expect(conversation.status).toBe('active');
  }
});

test('what could not be changed is told, and tried again', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await ada.writes('Hello');
  await ben.writes('Hello');
  const { id } = await known(ada);
  await known(ben);
  await open(page);
  const refused = `**/api/live-chat/conversations/${id}`;
  await page.route(refused, (route) => (route.request().method() === 'PATCH' ? route.fulfill({ status: 422, json: { success: false, error: { code: 'invalid_field', message: 'no' } } }) : route.fallback()));
  await row(page, ada).getByRole('checkbox').click();
  await row(page, ben).click();
  await page.getByRole('toolbar', { name: 'Selected conversations' }).getByRole('button', { name: 'Archive' }).click();
  const failed = page.getByRole('listitem').filter({ hasText: '1 conversation could not be changed' });
  await expect(failed).toBeVisible();
  await expect(row(page, ada)).toBeVisible();
  await expect(row(page, ben)).toHaveCount(0);
  await page.unroute(refused);
  await failed.getByRole('button', { name: 'Try again' }).click();
  await expect(row(page, ada)).toHaveCount(0);
});

test('everything is done by the keyboard alone', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await ada.writes('Hello');
  await known(ada);
  await ben.writes('Hello');
  await known(ben);
  await open(page);
  await expect(row(page, ada)).toBeVisible();
  const search = page.getByRole('searchbox');
  await search.focus();
  await page.keyboard.press('ArrowDown');
  await expect(list(page).locator('[role=row]:focus')).toHaveAttribute('aria-rowindex', '1');
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await expect(list(page).locator('[role=row]:focus')).toHaveAttribute('aria-rowindex', '1');
  for (let steps = await placeOf(row(page, ada)); steps > 1; steps -= 1) await page.keyboard.press('ArrowDown');
  await expect(row(page, ada)).toBeFocused();

  await page.keyboard.press('x');
  await expect(row(page, ada)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(row(page, ada)).toHaveAttribute('aria-selected', 'false');

  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menuitem', { name: 'Mark as read' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(row(page, ada).getByRole('img', { name: /unread/ })).toHaveCount(0);
  await expect(row(page, ada)).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(row(page, ada)).toHaveAttribute('aria-current', 'true');

  await chip(page, 'All').focus();
  await page.keyboard.press('ArrowRight');
  await expect(chip(page, 'Unread')).toBeChecked();
  await expect(chip(page, 'Unread')).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(chip(page, 'All')).toBeChecked();
});

test('the row that has the focus keeps it while others move', async ({ page }) => {
  const [ada, ben] = [customer('Ada'), customer('Ben')];
  await ada.writes('Hello', secondsAgo(2));
  await known(ada);
  await ben.writes('Hello', secondsAgo(1));
  await known(ben);
  await open(page);
  await row(page, ben).focus();
  await ada.writes('Once more');
  await expect(row(page, ada)).toContainText('Once more');
  await expect.poll(async () => (await placeOf(row(page, ada))) < (await placeOf(row(page, ben)))).toBe(true);
  await expect(row(page, ben)).toBeFocused();
});

test('on a narrow screen the list gives way to the conversation, and comes back', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const ada = customer('Ada');
  await ada.writes('Hello');
  await known(ada);
  await open(page);
  await expect(row(page, ada)).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await row(page, ada).click();
  await expect(list(page)).toBeHidden();
  await page.goBack();
  await expect(row(page, ada)).toBeVisible();
});

test('one number shows its own conversations only', async ({ page }) => {
  const { phone_numbers: numbers } = await api<{ phone_numbers: { phone_number_id: string; verified_name: string }[] }>('GET', '/api/live-chat/phone-numbers');
  const other = numbers.find(({ phone_number_id: id }) => id !== stack.phone_number_id);
  if (!other) throw new Error('The stack has one number only');
  const [here, there] = [customer('Here'), customer('There', { phoneNumberId: other.phone_number_id })];
  await here.writes('Hello');
  await there.writes('Hello');
  await known(here);
  await known(there);
  await open(page);
  await expect(row(page, there)).toContainText(other.verified_name);
  const select = page.getByRole('button', { name: /^Phone number:/ });
  await select.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitemradio', { name: /All numbers/ })).toBeChecked();
  await page.getByRole('menuitemradio', { name: new RegExp(other.verified_name) }).press('Enter');
  await expect(select).toContainText(other.verified_name);
  await expect(row(page, there)).toBeVisible();
  await expect(row(page, there)).not.toContainText(other.verified_name);
  await expect(row(page, here)).toHaveCount(0);
  await select.click();
  await page.getByRole('menuitemradio', { name: /All numbers/ }).click();
  await expect(row(page, here)).toBeVisible();
});

test('the contact panel tells who it is, and gives them another name', async ({ page }) => {
  const ada = customer('Ada');
  await ada.writes('I saw your ad', { referral: { source_type: 'ad', source_id: '1', source_url: 'https://fb.me/cacti', headline: 'Cacti, half price', body: 'This week' } });
  await ada.sends({ type: 'image' });
  await ada.sends({ type: 'document' });
  const { id } = await known(ada);
  await open(page);
  await menuOf(page, row(page, ada), 'Contact');
  const panel = page.getByRole('complementary', { name: 'Contact' });
  await expect(panel.getByText(`+${ada.phone}`)).toBeVisible();
  await expect(panel.getByRole('link', { name: 'Open the ad' })).toHaveAttribute('href', 'https://fb.me/cacti');
  await expect.poll(() => panel.getByRole('button', { name: /^Photo/ }).locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await expect(panel.getByRole('list', { name: 'Documents' }).getByRole('link')).toHaveAttribute('href', /^http/);
  await panel.getByRole('button', { name: 'Copy the phone number' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`+${ada.phone}`);

  const name = `${ada.name} Renamed`;
  const refused = `**/api/live-chat/conversations/${id}`;
  await page.route(refused, (route) => (route.request().method() === 'PATCH' ? route.fulfill({ status: 422, json: { success: false, error: { code: 'invalid_field', message: 'no' } } }) : route.fallback()));
  await panel.getByRole('button', { name: 'Rename' }).click();
  await expect(panel.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await panel.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.keyboard.press('Enter');
  await expect(panel.getByRole('alert')).toHaveText('The name could not be saved.');
  await page.unroute(refused);
  await panel.getByRole('button', { name: 'Save' }).click();
  await expect(panel.getByRole('heading', { name })).toBeVisible();
  await expect(panel.getByRole('button', { name: 'Rename' })).toBeFocused();
  await expect(list(page).getByRole('row').filter({ hasText: name })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
});

test('what cannot be loaded is told, with a way out', async ({ page }) => {
  const conversations = '**/api/live-chat/conversations?**';
  await page.route(conversations, (route) => route.fulfill({ status: 422, json: { success: false, error: { code: 'invalid_field', message: 'no' } } }));
  await page.goto('/');
  await expect(list(page).getByText('The conversations could not be loaded')).toBeVisible();
  await page.unroute(conversations);
  await list(page).getByRole('button', { name: 'Try again' }).click();
  await expect(list(page).getByRole('grid')).toBeVisible();
});

test('an agent without a number, and a filter without a conversation, are told so', async ({ page }) => {
  // What others of this stack's customers write meanwhile is not told.
  await page.route('**/api/live-chat/realtime-ticket', (route) => route.fulfill({ status: 503, headers: { 'retry-after': '60' }, json: { success: false, error: { code: 'unavailable', message: 'no' } } }));
  await page.route('**/api/live-chat/changes**', (route) => route.fulfill({ json: { success: true, changes: [], next_cursor: 'now', has_more: false } }));
  await page.route('**/api/live-chat/conversations?**', (route) => route.fulfill({ json: { success: true, conversations: [], next_cursor: null, prev_cursor: null } }));
  await page.goto('/');
  await expect(list(page).getByText('No conversations yet')).toBeVisible();
  await chip(page, 'Unread').click();
  await expect(list(page).getByText('Nothing is unread')).toBeVisible();
  await list(page).getByRole('button', { name: 'Show all conversations' }).click();
  await expect(chip(page, 'All')).toBeChecked();
  await page.route('**/api/live-chat/phone-numbers', (route) => route.fulfill({ json: { success: true, phone_numbers: [] } }));
  await page.reload();
  await expect(list(page).getByText('No phone number yet')).toBeVisible();
});
