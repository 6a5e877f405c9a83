/** A day's work without a mouse: after each step something has the focus, and it can be seen what. */
import { Buffer } from 'node:buffer';
import { expect, type Page, test } from '@playwright/test';
import { api, chooseFile, conversationOf, Customer, lastSent, sentTo, signedOut, unique } from './support';

test.use({ storageState: signedOut });

/** What has the focus is in sight and looks like it. */
async function expectFocusSeen(page: Page, when: string): Promise<void> {
  const state = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return 'nothing has the focus';
      const { top, bottom, left, right, width, height } = element.getBoundingClientRect();
      const name = `<${element.localName} ${element.getAttribute('aria-label') ?? element.textContent?.slice(0, 30) ?? ''}>`;
      if (width === 0 || height === 0 || bottom < 0 || top > innerHeight || right < 0 || left > innerWidth) return `${name} is out of sight`;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return `${name} is hidden`;
      // A dialog that has just opened has the focus itself; what is chosen in a menu stands out by its colour.
      if (element.matches('[role="dialog"], [role="menu"], [data-highlighted]')) return 'seen';
      for (let at: Element | null = element, level = 0; at && level < 3; at = at.parentElement, level += 1) {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at);
        if (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1 && !/, 0\)$|^transparent$/.test(outlineColor)) return 'seen';
      }
      return `${name} does not look focused`;
    });
  await expect.poll(state, { message: when }).toBe('seen');
}

/** Goes on by Tab, or back, until this has the focus. */
async function tabTo(page: Page, name: RegExp, { role, back = false }: { role: string; back?: boolean }): Promise<void> {
  const isThere = () =>
    page.evaluate(
      ([role, source]) => {
        const element = document.activeElement;
        const roles: Record<string, string> = { button: 'button', textbox: 'input, textarea', searchbox: 'input[type=search]', link: 'a', article: 'article', radio: '[role=radio], input[type=radio]', switch: '[role=switch]' };
        const name = element?.getAttribute('aria-label') ?? (element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null) ?? element?.textContent ?? '';
        return Boolean(element?.matches(roles[role ?? ''] ?? `[role=${role}]`)) && new RegExp(source ?? '').test(name);
      },
      [role, name.source],
    );
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    await expectFocusSeen(page, `on the way to ${name}`);
    if (await isThere()) return;
  }
  throw new Error(`The Tab key does not come to ${name}`);
}

test('a conversation is found, read, answered and archived by the keyboard alone', async ({ page }) => {
  test.setTimeout(90_000);
  const [ada, ben] = [new Customer(unique('Key Ada')), new Customer(unique('Key Ben'))];
  await ben.writes('I am there as well');
  await ada.writes('The first question');
  await conversationOf(ben);
  const id = await conversationOf(ada);
  await ada.writes('The second question');
  await conversationOf(ada, 2);
  const conversation = async () => (await api<{ conversation: { unread_count: number; status: string } }>('GET', `/api/live-chat/conversations/${id}`)).conversation;

  // Sign in.
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Sign in as the demo agent' })).toBeVisible();
  await tabTo(page, /^Sign in as the demo agent/, { role: 'button' });
  await page.keyboard.press('Enter');
  await expect(page.getByRole('grid')).toBeVisible();

  // Find.
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(ada.name);
  const found = page.getByRole('grid', { name: 'Found conversations and messages' }).getByRole('row').filter({ hasText: ada.name });
  await expect(found).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(found).toBeFocused();
  await expectFocusSeen(page, 'found');

  // Open and read.
  await page.keyboard.press('Enter');
  const text = page.getByRole('textbox', { name: 'Message', exact: true });
  await expect(text).toBeFocused();
  await expect.poll(async () => (await conversation()).unread_count).toBe(0);
  const feed = page.getByRole('feed');
  const article = (words: string) => feed.getByRole('article', { name: new RegExp(`${words}$`) });
  await tabTo(page, /The second question$/, { role: 'article', back: true });
  await page.keyboard.press('ArrowUp');
  await expect(article('The first question')).toBeFocused();
  await expectFocusSeen(page, 'reading');

  // React.
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'React with 👍' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'React with ❤️' })).toBeFocused();
  await expectFocusSeen(page, 'choosing a reaction');
  await page.keyboard.press('Enter');
  await expect(article('The first question')).toBeFocused();
  expect(await lastSent(ada)).toMatchObject({ type: 'reaction', reaction: { emoji: '❤️' } });

  // Reply to one message.
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Take ❤️ back' })).toBeVisible();
  await page.keyboard.type('Repl');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(text).toBeFocused();
  await expect(page.locator('form blockquote')).toContainText('The first question');
  await page.keyboard.type('The first answer');
  await page.keyboard.press('Enter');
  await expect(text).toBeFocused();
  expect(await lastSent(ada, 2)).toMatchObject({ type: 'text', text: { body: 'The first answer' }, context: { message_id: expect.stringMatching(/^wamid/) } });
  await expect(article('The first answer').getByRole('img', { name: 'Read', exact: true })).toBeVisible();

  // Attach.
  await tabTo(page, /^Attach$/, { role: 'button', back: true });
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Photos and videos' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Document' })).toBeFocused();
  await expectFocusSeen(page, 'choosing what to attach');
  await chooseFile(page, () => page.keyboard.press('Enter'), { name: 'offer.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') });
  await expect(page.getByRole('list', { name: 'Files to send' }).getByRole('listitem')).toHaveCount(1);
  await expect(text).toBeFocused();
  await page.keyboard.type('Our offer');
  await page.keyboard.press('Enter');
  expect(await lastSent(ada, 3)).toMatchObject({ type: 'document', document: { filename: 'offer.pdf', caption: 'Our offer' } });
  await expect(text).toBeFocused();

  // A template.
  await tabTo(page, /offer\.pdf|Our offer/, { role: 'article', back: true });
  await page.keyboard.press('t');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('searchbox', { name: 'Search templates' })).toBeFocused();
  await page.keyboard.type('order update');
  await expect(dialog.getByRole('button', { name: /order_update.*English/ })).toBeVisible();
  await tabTo(page, /order_update.*English/, { role: 'button' });
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('textbox', { name: 'Header, {{1}}' })).toBeVisible();
  await expectFocusSeen(page, 'filling in a template');
  if (!(await dialog.getByRole('textbox', { name: 'Header, {{1}}' }).evaluate((field) => field === document.activeElement))) await tabTo(page, /Header/, { role: 'textbox' });
  await page.keyboard.type('A-7');
  await tabTo(page, /Text, \{\{1\}\}/, { role: 'textbox' });
  await page.keyboard.type('Ada');
  await tabTo(page, /Text, \{\{2\}\}/, { role: 'textbox' });
  await page.keyboard.type('Friday');
  await tabTo(page, /^Send template$/, { role: 'button' });
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expectFocusSeen(page, 'a template was sent');
  expect(await lastSent(ada, 4)).toMatchObject({ type: 'template', template: { name: 'order_update' } });

  // Archive, and take it back.
  await tabTo(page, /offer\.pdf|Our offer|Friday/, { role: 'article', back: true });
  await page.keyboard.press('e');
  await expect.poll(async () => (await conversation()).status).toBe('archived');
  await expectFocusSeen(page, 'archived');
  await expect(page.getByText(`Archived: ${ada.name}`).first()).toBeVisible();
  await page.keyboard.press('F8');
  await tabTo(page, /^Undo$/, { role: 'button' });
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await conversation()).status).toBe('active');
  await expectFocusSeen(page, 'taken back');
  expect(await sentTo(ada)).toHaveLength(4);
});

test('what is opened over the inbox takes the focus, keeps it, and gives it back', async ({ page }) => {
  const ada = new Customer(unique('Key Cleo'));
  await ada.writes('Anything');
  const id = await conversationOf(ada);
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign in as the demo agent' }).press('Enter');
  await expect(page.getByRole('grid')).toBeVisible();
  await page.goto(`/?conversation=${id}`);
  const message = page.getByRole('feed').getByRole('article', { name: /Anything$/ });
  await message.focus();
  await expect(message).toBeFocused();

  /** Opens a dialog, goes once around in it, leaves it. */
  const visit = async (name: string, open: () => Promise<void>, tabs: number) => {
    await open();
    const dialog = page.getByRole('dialog', { name });
    await expect(dialog).toBeVisible();
    await expect(dialog.locator(':focus')).toHaveCount(1);
    for (let step = 0; step < tabs; step += 1) {
      await page.keyboard.press('Tab');
      await expect(dialog.locator(':focus'), `${name}, ${step + 1} × Tab`).toHaveCount(1);
      await expectFocusSeen(page, `${name}, ${step + 1} × Tab`);
    }
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await expect(message, `after ${name}`).toBeFocused();
  };
  await visit('Keyboard shortcuts', () => page.keyboard.press('?'), 4);
  await visit('Find a conversation or an action', () => page.keyboard.press('ControlOrMeta+k'), 0);
  await visit('Settings', async () => {
    await page.keyboard.press('ControlOrMeta+k');
    await expect(page.getByRole('combobox')).toBeFocused();
    await page.keyboard.type('settings');
    await expect(page.getByRole('option', { name: /^Settings/ })).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Enter');
  }, 24);
  await visit('Message details', async () => {
    await page.keyboard.press('Enter');
    await expect(page.getByRole('menuitem').first()).toBeFocused();
    await page.keyboard.press('End');
    await expect(page.getByRole('menuitem', { name: 'Details' })).toBeFocused();
    await page.keyboard.press('Enter');
  }, 3);

  // The menu itself, the panel beside the thread, and the search in it.
  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(message).toBeFocused();
  await page.keyboard.press('i');
  await expect(page.getByRole('complementary', { name: 'Contact' })).toBeVisible();
  await expectFocusSeen(page, 'beside the contact');
  await page.keyboard.press('i');
  await expect(page.getByRole('complementary', { name: 'Contact' })).toHaveCount(0);
  await expect(message).toBeFocused();
  await page.keyboard.press('f');
  await expect(page.getByRole('searchbox', { name: 'Search in this conversation' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('searchbox', { name: 'Search in this conversation' })).toHaveCount(0);
  await expectFocusSeen(page, 'after the search in the conversation');

  // A conversation by the palette.
  await page.keyboard.press('ControlOrMeta+k');
  await page.keyboard.type(ada.name);
  await expect(page.getByRole('group', { name: 'Conversations' }).getByRole('option', { name: ada.name })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('combobox')).toHaveCount(0);
  await expectFocusSeen(page, 'opened by the palette');

  // Out, by the account's menu.
  await tabTo(page, /^Account/, { role: 'button', back: true });
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu').locator(':focus')).toHaveCount(1);
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Sign in as the demo agent' })).toBeVisible();
});
