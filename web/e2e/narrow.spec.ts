/** A phone of 320 pixels, used by a finger: each main flow can be gone through, and nothing is wider than the screen. */
import { Buffer } from 'node:buffer';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, chooseFile, conversationOf, Customer, lastSent, signedIn, signedOut, unique } from './support';

const WIDTH = 320;
test.use({ viewport: { width: WIDTH, height: 640 }, hasTouch: true, isMobile: true });

/** Nothing reaches beyond the screen, neither the page nor what one presses or reads in it. */
async function expectFits(page: Page, state: string): Promise<void> {
  const outside = () =>
    page.evaluate((width) => {
      const found: string[] = [];
      const root = document.documentElement;
      if (root.scrollWidth > width) found.push(`the page is ${root.scrollWidth} wide`);
      for (const element of document.querySelectorAll('.wlc :is(button, a, input, textarea, select, p, h1, h2, h3, label, [role="row"], [role="menuitem"], [role="option"], article, [role="dialog"], [role="menu"])')) {
        // What only screen readers hear has no place of its own.
        if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest('[class*="sr-only"], [aria-hidden="true"]')) continue;
        const { left, right, width: own } = element.getBoundingClientRect();
        if (own > 1 && (left < -0.5 || right > width + 0.5)) found.push(`<${element.localName} ${element.getAttribute('aria-label') ?? element.textContent?.slice(0, 40) ?? ''}> from ${Math.round(left)} to ${Math.round(right)}`);
      }
      return found;
    }, WIDTH);
  // What slides in is not there yet.
  await expect.poll(outside, { message: state }).toEqual([]);
}

/** A finger that stays until something has opened. */
async function longPress(page: Page, target: Locator, until: Locator): Promise<void> {
  const box = await target.boundingBox();
  if (!box) throw new Error('There is nothing to press');
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }] });
  await expect(until).toBeVisible();
  // Lifted at once it would be a tap for the browser, which waits a little longer than we do.
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchCancel', touchPoints: [] });
  await cdp.detach();
}

const text = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const sendButton = (page: Page) => page.getByRole('button', { name: 'Send', exact: true });

test.describe('signed out', () => {
  test.use({ storageState: signedOut });

  test('an agent signs in, finds a conversation, answers it, and comes back to the list', async ({ page }) => {
    const ada = new Customer(unique('Narrow Ada with a name that is longer than a phone is wide'));
    await ada.writes(`Where is my parcel? ${'https://example.com/a-very-long-address/'.repeat(6)}`);
    await conversationOf(ada);
    await page.goto('/');
    await expectFits(page, 'signing in');
    await page.getByRole('button', { name: 'Sign in as the demo agent' }).tap();
    const list = page.getByRole('region', { name: 'Conversations' });
    await expect(list.getByRole('row').first()).toBeVisible();
    await expectFits(page, 'the list');
    await page.getByRole('radio', { name: 'Unread' }).tap();
    await expect(page.getByRole('radio', { name: 'Unread' })).toBeChecked();
    await expect(list.getByRole('row').filter({ hasText: ada.name })).toBeVisible();
    await page.getByRole('radio', { name: 'All', exact: true }).tap();
    await page.getByRole('searchbox').fill(ada.phone);
    await list.getByRole('row').filter({ hasText: ada.name }).tap();
    await expect(page.getByRole('article', { name: /Where is my parcel/ })).toBeVisible();
    await expect(list).toBeHidden();
    await expectFits(page, 'the conversation');
    await text(page).fill('It is on its way');
    await expectFits(page, 'writing');
    await sendButton(page).tap();
    expect(await lastSent(ada)).toMatchObject({ text: { body: 'It is on its way' } });
    await expect(page.getByRole('article', { name: /It is on its way$/ }).getByRole('img', { name: 'Read', exact: true })).toBeVisible();
    await ada.writes('Thank you');
    await expect(page.getByRole('article', { name: /Thank you$/ })).toBeInViewport();
    await page.getByRole('button', { name: 'Back to the conversations' }).tap();
    await expect(list.getByRole('row').filter({ hasText: ada.name })).toBeVisible();
    await expectFits(page, 'the list again');
  });
});

test.describe('signed in', () => {
  test.use({ storageState: signedIn() });

  test('messages of all types fit, and one is answered and reacted to by a long press', async ({ page }) => {
    const ada = new Customer(unique('Narrow Types'));
    for (const type of ['image', 'video', 'audio', 'voice', 'document', 'sticker', 'location', 'contacts', 'button', 'order', 'unsupported']) await ada.sends({ type });
    await ada.writes('I came by an ad', { referral: { source_url: 'https://fb.me/x', source_type: 'ad', source_id: '1', headline: 'Summer sale', body: 'A text below it that goes on for a while' } });
    await ada.writes('x'.repeat(400));
    await page.setViewportSize({ width: WIDTH, height: 4_000 });
    await page.goto(`/?conversation=${await conversationOf(ada, 13)}`);
    await expect(page.getByRole('article')).toHaveCount(13);
    await expect(page.getByRole('feed').locator('[class*="animate-spin"]')).toHaveCount(0);
    await expectFits(page, 'all types');
    await page.setViewportSize({ width: WIDTH, height: 640 });
    const last = page.getByRole('article').last();
    await expect(last).toBeInViewport();
    const menu = page.getByRole('menu');
    await longPress(page, last, menu);
    await expectFits(page, "a message's menu");
    await page.getByRole('menuitem', { name: 'React with 🙏' }).tap();
    expect(await lastSent(ada)).toMatchObject({ type: 'reaction', reaction: { emoji: '🙏' } });
    await longPress(page, last, menu);
    await page.getByRole('menuitem', { name: 'Reply' }).tap();
    await text(page).fill('An answer');
    await expectFits(page, 'answering one message');
    await sendButton(page).tap();
    expect(await lastSent(ada, 2)).toMatchObject({ context: { message_id: expect.any(String) }, text: { body: 'An answer' } });
  });

  test('files, a voice message and a template go out', async ({ page }) => {
    const [ada, late] = [new Customer(unique('Narrow Files')), new Customer(unique('Narrow Late'))];
    await ada.writes('Please send it');
    await late.writes('Hello?', { timestamp: Math.floor(Date.now() / 1000) - 30 * 3600 });
    await page.goto(`/?conversation=${await conversationOf(ada)}`);
    await page.getByRole('button', { name: 'Attach' }).tap();
    await expectFits(page, 'what can be attached');
    const file = { name: `${'a-long-name-'.repeat(8)}.pdf`, mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') };
    await chooseFile(page, () => page.getByRole('menuitem', { name: 'Document' }).tap(), file);
    await expect(page.getByRole('list', { name: 'Files to send' }).getByRole('listitem')).toHaveCount(1);
    await expectFits(page, 'a file');
    await sendButton(page).tap();
    expect(await lastSent(ada)).toMatchObject({ type: 'document' });
    await page.getByRole('button', { name: 'Record a voice message' }).tap();
    await expect(page.getByRole('timer')).toHaveText('0:01');
    await expectFits(page, 'recording');
    await page.getByRole('button', { name: 'Send the recording' }).tap();
    expect(await lastSent(ada, 2)).toMatchObject({ type: 'audio', audio: { voice: true } });

    await page.goto(`/?conversation=${await conversationOf(late)}`);
    await page.getByRole('button', { name: 'Send template' }).tap();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('searchbox', { name: 'Search templates' }).fill('order update');
    await expectFits(page, 'templates');
    await dialog.getByRole('button', { name: /order_update.*English/ }).tap();
    await dialog.getByRole('textbox', { name: 'Header, {{1}}' }).fill('A-7');
    await dialog.getByRole('textbox', { name: 'Text, {{1}}' }).fill('Ada');
    await dialog.getByRole('textbox', { name: 'Text, {{2}}' }).fill('Friday');
    await expectFits(page, 'a template');
    await dialog.getByRole('button', { name: 'Send template' }).tap();
    expect(await lastSent(late)).toMatchObject({ type: 'template', template: { name: 'order_update' } });
  });

  test('what opens over the inbox fits: numbers, account, settings, the contact, the search, the composer’s dialogs', async ({ page }) => {
    const ada = new Customer(unique('Narrow Panels'));
    await ada.writes('Hello');
    const id = await conversationOf(ada);
    await page.goto('/');
    const row = page.getByRole('row').filter({ hasText: ada.name });
    await expect(row).toBeVisible();
    for (const name of [/^Phone number:/, /^Account/, /^Order:/]) {
      await page.getByRole('button', { name }).tap();
      await expect(page.getByRole('menu')).toBeVisible();
      await expectFits(page, String(name));
      await page.keyboard.press('Escape');
      await expect(page.getByRole('menu')).toHaveCount(0);
    }
    await page.getByRole('button', { name: 'Settings' }).tap();
    await expectFits(page, 'settings');
    await page.getByRole('dialog', { name: 'Settings' }).getByRole('button', { name: 'Close' }).tap();
    await longPress(page, row, page.getByRole('toolbar', { name: 'Selected conversations' }));
    await expectFits(page, 'some chosen');
    await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).tap();
    await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
    await expectFits(page, 'archived');
    await page.getByRole('button', { name: 'Undo' }).tap();
    const status = async () => (await api<{ conversation: { status: string } }>('GET', `/api/live-chat/conversations/${id}`)).conversation.status;
    await expect.poll(status).toBe('active');
    await expect(row).toBeVisible();

    await row.tap();
    await page.getByRole('button', { name: 'Show the contact' }).tap();
    const contact = page.getByRole('dialog', { name: 'Contact' });
    await expect(contact).toBeVisible();
    await expectFits(page, 'the contact');
    await contact.getByRole('button', { name: 'Close' }).tap();
    await page.getByRole('button', { name: 'Search in this conversation' }).tap();
    await page.getByRole('searchbox', { name: 'Search in this conversation' }).fill('Hello');
    await expect(page.getByText('1 of 1')).toBeVisible();
    await expectFits(page, 'the search in a conversation');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Emoji' }).tap();
    await expect(page.getByRole('gridcell').first()).toBeVisible();
    await expectFits(page, 'emoji');
    await page.keyboard.press('Escape');
    for (const name of ['Location', 'Contact', 'Reply buttons', 'List to choose from', 'Link button', 'Template', 'Quick replies']) {
      await page.getByRole('button', { name: 'Attach' }).tap();
      await page.getByRole('menuitem', { name, exact: true }).tap();
      const dialog = page.getByRole('dialog');
      await expect(dialog).toBeVisible();
      await expect(dialog.locator('[class*="animate-spin"]')).toHaveCount(0);
      await expectFits(page, name);
      await dialog.getByRole('button', { name: 'Close' }).tap();
      await expect(dialog).toHaveCount(0);
    }
  });
});
