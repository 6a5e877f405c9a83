/** Parts of the page that are files of their own: late ones, and ones that do not come. */
import { expect, type Page, test } from '@playwright/test';
import { api, Customer } from './support';

const run = Date.now().toString(36);
const rows = (page: Page) => page.getByRole('grid').getByRole('row');
const feed = (page: Page) => page.getByRole('feed');
const text = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const sort = (page: Page) => page.getByRole('button', { name: /^Order/ });
const missing = (page: Page) => page.getByRole('alert').filter({ hasText: 'could not be loaded' });

async function conversationOf(customer: Customer): Promise<number> {
  await customer.writes('Are you there?');
  const find = () => api<{ conversations: { id: number }[] }>('GET', `/api/live-chat/conversations?q=${customer.phone}`);
  await expect.poll(async () => (await find()).conversations.length).toBe(1);
  return (await find()).conversations[0]?.id ?? 0;
}

test('an inbox stays where what draws a conversation cannot be fetched, which comes with the page loaded anew', async ({ page }) => {
  const id = await conversationOf(new Customer(`Missing thread ${run}`));
  await page.route(/open_(thread|composer)/, (route) => route.abort());
  await page.goto(`/?conversation=${id}`);
  await expect(rows(page).first()).toBeVisible();
  await expect(missing(page)).toHaveCount(2);
  await page.unroute(/open_(thread|composer)/);
  // Chromium does not ask for a module again that did not come.
  await page.reload();
  await expect(feed(page).getByText('Are you there?')).toBeVisible();
  await text(page).fill('Here I am');
  await text(page).press('Enter');
  await expect(feed(page).getByText('Here I am')).toBeVisible();
});

test('a menu whose file comes late is opened by the press that asked for it', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/open_menu/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/');
  await sort(page).press('Enter');
  await expect(sort(page)).toHaveAttribute('aria-expanded', 'true');
  release();
  await expect(page.getByRole('menuitemradio', { name: 'Newest first' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(sort(page)).toBeFocused();
});

test('what was not opened yet opens offline too, and what was never fetched says so', async ({ page, context }) => {
  const customer = new Customer(`Offline ${run}`);
  await conversationOf(customer);
  const wanted = ['open_thread', 'open_composer', 'open_menu', 'toasts', 'row_menu', 'palette'];
  const fetched = wanted.map((name) => page.waitForResponse((response) => response.url().includes(name)));
  await page.goto('/');
  await Promise.all(fetched);
  await page.waitForLoadState('networkidle');
  await context.setOffline(true);
  await sort(page).click();
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await rows(page).filter({ hasText: customer.name }).click();
  await text(page).fill('Written offline');
  await text(page).press('Enter');
  await expect(text(page)).toHaveValue('');
  await page.getByRole('button', { name: 'Emoji' }).click();
  await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('alert')).toContainText('could not be loaded');
  await context.setOffline(false);
  await expect(page.getByRole('textbox', { name: 'Search emoji' }).or(page.getByRole('searchbox', { name: 'Search emoji' }))).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(feed(page).getByText('Written offline')).toBeVisible();
});

test('a dialog that is gone from the server is told of, and the rest goes on', async ({ page }) => {
  const id = await conversationOf(new Customer(`Missing dialog ${run}`));
  await page.route(/\/location-/, (route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'Not found' }));
  await page.goto(`/?conversation=${id}`);
  await page.getByRole('button', { name: 'Attach' }).click();
  await page.getByRole('menuitem', { name: 'Location' }).click();
  await expect(page.getByText('This could not be loaded.').first()).toBeVisible();
  await text(page).fill('Still here');
  await expect(text(page)).toHaveValue('Still here');
});
