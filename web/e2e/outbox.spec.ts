/** What an agent writes arrives once and in order, whatever becomes of the network and the tab. */
import { expect, type Page, test } from '@playwright/test';
import { api, conversationOf, Customer } from './support';

interface Row {
  content: string | null;
  sender: string;
}

async function sentTo(id: number): Promise<(string | null)[]> {
  const { messages } = await api<{ messages: Row[] }>('GET', `/api/live-chat/messages?conversation_id=${id}&limit=100`);
  return messages.filter(({ sender }) => sender === 'user').map(({ content }) => content).toReversed();
}

async function open(page: Page, customer: Customer): Promise<void> {
  await page.goto('/');
  await page.getByText(customer.name).first().click();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
}

async function write(page: Page, text: string): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Message' });
  await field.fill(text);
  await field.press('Enter');
  await expect(field).toHaveValue('');
}

test('twenty messages written offline in a tab that is closed arrive once and in order when the page is opened again', async ({ page, context }) => {
  const customer = new Customer(`Offline ${Date.now()}`);
  await customer.writes('Is anybody there?');
  const id = await conversationOf(customer);
  await open(page, customer);
  await context.setOffline(true);
  const texts = Array.from({ length: 20 }, (_, index) => `Answer ${index + 1}`);
  for (const text of texts) await write(page, text);
  // Kept on disk, which is what is shown of it, too.
  await expect(page.getByText('Answer 20', { exact: true }).first()).toBeVisible();
  await page.close();
  expect(await sentTo(id)).toEqual([]);
  await context.setOffline(false);
  const again = await context.newPage();
  await again.goto('/');
  await expect.poll(() => sentTo(id), { timeout: 45_000 }).toEqual(texts);
});

test('two tabs send what was written in both, and each shows all of it', async ({ page, context }) => {
  const customer = new Customer(`Two tabs ${Date.now()}`);
  await customer.writes('Hello');
  const id = await conversationOf(customer);
  const other = await context.newPage();
  await open(page, customer);
  await open(other, customer);
  await write(page, 'From the one');
  await write(other, 'From the other');
  await expect.poll(async () => (await sentTo(id)).toSorted()).toEqual(['From the one', 'From the other']);
  for (const tab of [page, other]) {
    for (const text of ['From the one', 'From the other']) await expect(tab.getByRole('article').filter({ hasText: text })).toHaveCount(1);
  }
});

test('a draft is there again after a reload, and what was shown last before the network answers', async ({ page, context }) => {
  const customer = new Customer(`Draft ${Date.now()}`);
  await customer.writes('Where is my parcel?');
  await conversationOf(customer);
  await open(page, customer);
  await expect(page.getByRole('article').filter({ hasText: 'Where is my parcel?' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Message' }).fill('It is on its');
  await page.evaluate(() => window.dispatchEvent(new Event('pagehide')));
  await page.close();
  const again = await context.newPage();
  // The API does not answer; the page itself does.
  await again.route('**/api/live-chat/**', () => {});
  await again.goto('/');
  await again.getByText(customer.name).first().click();
  await expect(again.getByRole('textbox', { name: 'Message' })).toHaveValue('It is on its');
  await expect(again.getByText('Where is my parcel?').first()).toBeVisible();
});
