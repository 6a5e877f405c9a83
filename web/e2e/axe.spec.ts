/** axe finds nothing: in each language, light and dark, on a desk and on a phone. Nothing is looked up by its words, which each language has others for. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, Customer, signedIn, signedOut, webUrl } from './support';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const LANGUAGES = ['en', 'pt', 'es', 'ar'] as const;
const THEMES = ['light', 'dark'] as const;
const SIZES = [
  { name: 'desk', width: 1280, height: 800 },
  { name: 'phone', width: 320, height: 640 },
] as const;

type Look = { readonly locale: (typeof LANGUAGES)[number]; readonly theme: (typeof THEMES)[number] };

/** What `state` has kept, in a browser that this look was chosen in. */
function looking({ locale, theme }: Look, state: ReturnType<typeof signedIn> | typeof signedOut) {
  const kept = state.origins.flatMap(({ localStorage }) => localStorage);
  const localStorage = [...kept, { name: 'waba-live-chat.preferences', value: JSON.stringify({ locale, theme }) }];
  return { cookies: [], origins: [{ origin: new URL(webUrl).origin, localStorage }] };
}

/** What axe finds once nothing moves any more. */
async function examine(page: Page, state: string): Promise<string[]> {
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
        .map((animation) => animation.finished.catch(() => {})),
    ),
  );
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(
    () =>
      (window as unknown as { axe: { run(context: Document, options: object): Promise<AxeResults> } }).axe.run(document, {
        resultTypes: ['violations'],
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
  );
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${state}: ${id} (${help}) at ${target.join(' ')}: ${failureSummary?.replaceAll('\n', ' ') ?? ''}`));
}

const popup = (page: Page) => page.locator('.wlc :is([role="menu"], [role="dialog"], [role="alertdialog"], [role="listbox"])').filter({ visible: true });

async function close(page: Page): Promise<void> {
  for (let tries = 0; tries < 3 && (await popup(page).count()) > 0; tries += 1) await page.keyboard.press('Escape');
  await expect(popup(page)).toHaveCount(0);
}

/** Opens what each of these buttons opens, and examines it. */
async function examinePopups(page: Page, buttons: Locator, state: string): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < (await buttons.count()); at += 1) {
    const button = buttons.nth(at);
    const name = (await button.getAttribute('aria-label')) ?? (await button.textContent()) ?? String(at);
    await button.click();
    await expect(popup(page).first()).toBeVisible();
    found.push(...(await examine(page, `${state}, ${name} open`)));
    await close(page);
  }
  return found;
}

let conversationId = 0;
let lastWamid = '';

/** A conversation with a message of each kind. */
test.beforeAll(async () => {
  const customer = new Customer(`Axe ${Date.now()}`);
  const first = await customer.writes('*Bold*, _italic_, ~gone~, `code` and https://example.com/a?b=c');
  for (const type of ['image', 'video', 'audio', 'voice', 'document', 'sticker', 'location', 'contacts', 'button', 'order', 'unsupported']) {
    // What this simulator does not know is not asked of it.
    await customer.sends({ type }).catch((error: unknown) => {
      if (!String(error).includes('400')) throw error;
    });
  }
  lastWamid = await customer.writes('An answer to the first', { context: { message_id: first } }).catch(() => customer.writes('The last of them'));
  await expect
    .poll(async () => {
      const { conversations } = await api<{ conversations: readonly { id: number }[] }>('GET', `/api/live-chat/conversations?q=${encodeURIComponent(customer.name)}`);
      conversationId = conversations[0]?.id ?? 0;
      if (conversationId === 0) return false;
      const { messages } = await api<{ messages: readonly { wa_message_id?: string | null }[] }>('GET', `/api/live-chat/messages?conversation_id=${conversationId}`);
      return messages.some(({ wa_message_id }) => wa_message_id === lastWamid);
    })
    .toBe(true);
  await api('POST', '/api/live-chat/send-message', { conversation_id: conversationId, message: 'Here you are.', message_type: 'text' });
});

for (const { name, width, height } of SIZES) {
  for (const locale of LANGUAGES) {
    for (const theme of THEMES) {
      test.describe(`${name}, ${locale}, ${theme}`, () => {
        test.use({ viewport: { width, height }, storageState: looking({ locale, theme }, signedIn()) });

        test('axe finds nothing in the inbox', async ({ page }) => {
          const found: string[] = [];
          await page.goto('/');
          await expect(page.getByRole('searchbox').first()).toBeVisible();
          // Rows have come: the list says how many there are.
          await expect(page.locator('main :is([role="row"], [role="option"], li)').first()).toBeVisible();
          found.push(...(await examine(page, 'list')));
          found.push(...(await examinePopups(page, page.locator('header [aria-haspopup]').filter({ visible: true }), 'bar')));
          await page.goto(`/?conversation=${conversationId}`);
          await expect(page.getByRole('article').last()).toBeVisible();
          await expect(page.getByRole('textbox').last()).toBeVisible();
          found.push(...(await examine(page, 'thread')));
          expect(found).toEqual([]);
        });
      });

      test.describe(`${name}, ${locale}, ${theme}, signed out`, () => {
        test.use({ viewport: { width, height }, storageState: looking({ locale, theme }, signedOut) });

        test('axe finds nothing where one signs in', async ({ page }) => {
          await page.goto('/');
          const field = page.getByRole('textbox');
          await field.fill('nonsense');
          await page.keyboard.press('Enter');
          await expect(page.getByRole('alert')).toBeVisible();
          expect(await examine(page, 'sign-in')).toEqual([]);
        });
      });
    }
  }
}

for (const [locale, theme] of [['en', 'light'], ['ar', 'dark']] as const) {
  test.describe(`${locale}, ${theme}`, () => {
    test.use({ storageState: looking({ locale, theme }, signedIn()) });

    test('axe finds nothing in what a conversation opens, nor in the palette and the sheet of shortcuts', async ({ page }) => {
      test.setTimeout(120_000);
      await page.goto(`/?conversation=${conversationId}`);
      await expect(page.getByRole('article').last()).toBeVisible();
      const composer = page.getByRole('textbox').last();
      await expect(composer).toBeVisible();
      const found = await examinePopups(page, page.locator('form [aria-haspopup]:not([role="combobox"], textarea, input)').filter({ visible: true }), 'composer');
      await page.keyboard.press('Control+KeyK');
      await expect(popup(page).first()).toBeVisible();
      found.push(...(await examine(page, 'palette')));
      await close(page);
      await composer.blur();
      await page.keyboard.press('?');
      await expect(popup(page).first()).toBeVisible();
      found.push(...(await examine(page, 'shortcuts')));
      await close(page);
      expect(found).toEqual([]);
    });
  });
}
