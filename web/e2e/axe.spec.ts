/**
 * axe finds nothing: in each language, light and dark, on a desk and on a phone. Nothing is looked up by its words, which each language has
 * others for. All that is opened is looked at in both themes, the second time for its colours only, as nothing else follows from them.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, conversationOf, Customer, newPhone, signedIn, signedOut, unique, webUrl } from './support';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const LANGUAGES = ['en', 'pt', 'es', 'ar'] as const;
const THEMES = ['light', 'dark'] as const;
const SIZES = [
  { name: 'desk', width: 1280, height: 800 },
  { name: 'phone', width: 320, height: 640 },
] as const;
/** So high that each message stands in the document: only what is in sight does. */
const TALL = 4_800;

/** What `state` has kept, in a browser that this language was chosen in. */
function speaking(locale: (typeof LANGUAGES)[number], state: ReturnType<typeof signedIn> | typeof signedOut) {
  const kept = state.origins.flatMap(({ localStorage }) => localStorage);
  const localStorage = [...kept, { name: 'waba-live-chat.preferences', value: JSON.stringify({ locale, theme: THEMES[0] }) }];
  return { cookies: [], origins: [{ origin: new URL(webUrl).origin, localStorage }] };
}

/** What axe finds once nothing moves any more: in the whole page, or in a part that opened over it. */
async function examine(page: Page, state: string, part: Locator | null = null): Promise<string[]> {
  // What is still on its way is not what is to be examined.
  if (part) await expect(part.locator('[class*="animate-spin"]')).toHaveCount(0);
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const run = async (root: Element, themes: readonly string[]) => {
    const { axe } = window as unknown as { axe: { run(context: Element | Document, options: object): Promise<AxeResults> } };
    const found: string[] = [];
    const wear = (theme: string) => document.querySelectorAll('.wlc[data-theme]').forEach((element) => element.setAttribute('data-theme', theme));
    // Not waited for: one that is paused, or out of sight, would never end.
    const endMotion = () => {
      for (const animation of document.getAnimations()) if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
    };
    for (const [index, theme] of themes.entries()) {
      wear(theme);
      endMotion();
      const { violations } = await axe.run(root === document.documentElement ? document : root, {
        resultTypes: ['violations'],
        ...(index === 0
          ? {
              runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
              // A name that does not say what is seen cannot be spoken to; axe counts this rule as an experiment.
              rules: { 'label-content-name-mismatch': { enabled: true } },
            }
          : { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }),
      });
      found.push(...violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${theme}: ${id} (${help}) at ${target.join(' ')}: ${failureSummary?.replaceAll('\n', ' ') ?? ''}`)));
    }
    wear(themes[0] ?? '');
    return found;
  };
  const found = await (part ?? page.locator(':root')).evaluate(run, THEMES);
  return found.map((one) => `${state}, ${one}`);
}

const popups = (page: Page) => page.locator('.wlc :is([role="menu"], [role="dialog"], [role="alertdialog"], [role="listbox"])').filter({ visible: true });
const withIcon = (within: Page | Locator, icon: string) => within.locator(`button:has(svg.lucide-${icon})`).filter({ visible: true });

async function close(page: Page): Promise<void> {
  for (let tries = 0; tries < 3 && (await popups(page).count()) > 0; tries += 1) await page.keyboard.press('Escape');
  await expect(popups(page)).toHaveCount(0);
}

/** Examines what has opened, and closes it. */
async function examinePopup(page: Page, state: string): Promise<string[]> {
  const popup = popups(page).last();
  await expect(popup).toBeVisible();
  const found = await examine(page, state, popup);
  await close(page);
  return found;
}

/** Opens what each of these buttons opens, and examines it. */
async function examinePopups(page: Page, buttons: Locator, state: string): Promise<string[]> {
  const found: string[] = [];
  const count = await buttons.count();
  expect(count, `what opens something in the ${state}`).toBeGreaterThan(0);
  for (let at = 0; at < count; at += 1) {
    const button = buttons.nth(at);
    const name = (await button.getAttribute('aria-label')) ?? (await button.textContent()) ?? String(at);
    await button.click();
    found.push(...(await examinePopup(page, `${state}, ${name} open`)));
  }
  return found;
}

/** Shows a conversation so that nothing of it is still to come. */
async function openThread(page: Page, id: number): Promise<Locator> {
  await page.goto(`/?conversation=${id}`);
  const feed = page.getByRole('feed');
  await expect(feed.getByRole('article').last()).toBeVisible();
  await expect.poll(() => feed.locator('img').evaluateAll((images: HTMLImageElement[]) => images.every(({ complete }) => complete))).toBe(true);
  await expect(feed.locator('[class*="animate-spin"]')).toHaveCount(0);
  return feed;
}

// Each of them opens, and looks at, nearly everything that there is, in both themes.
test.setTimeout(240_000);

let everything = 0;
let closed = 0;
let shortcut = '';
let quickReply = 0;

/** A conversation with a message of each kind, from both sides; one whose window has closed; a quick reply. */
test.beforeAll(async () => {
  const customer = new Customer(unique('Axe'));
  const first = await customer.writes('*Bold*, _italic_, ~gone~, `code` and https://example.com/a?b=c\n> a quote\n- one\n- two', { referral: { source_url: 'https://fb.me/x', source_type: 'ad', source_id: '1', headline: 'Summer sale', body: 'Cacti' } });
  const types = ['video', 'audio', 'voice', 'document', 'sticker', 'location', 'contacts', 'button', 'order', 'unsupported'];
  for (const type of types) await customer.sends({ type });
  await customer.sends({ type: 'image', image: { caption: 'A picture' } });
  await customer.sends({ type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: 'fri', title: 'Friday', description: 'By bicycle' } } });
  await customer.sends({ type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply: { response_json: { city: 'Lisbon' } } } });
  const edited = await customer.writes('With a tpyo');
  const gone = await customer.writes('Not meant for you');
  await customer.writes('An answer to the first', { context: { message_id: first } });
  await customer.writes('Passed on', { context: { forwarded: true } });
  everything = await conversationOf(customer, 18);
  await customer.sends({ type: 'reaction', reaction: { message_id: edited, emoji: '🎉' } });
  await customer.sends({ type: 'edit', edit: { original_message_id: edited, message: { type: 'text', text: { body: 'Without a typo' } } } });
  await customer.sends({ type: 'revoke', revoke: { original_message_id: gone } });
  const say = (body: object) => api('POST', '/api/live-chat/send-message', { conversation_id: everything, ...body });
  await say({ message: 'Here you are: https://example.com', message_type: 'text' });
  await say({ message_type: 'location', location: { latitude: 52.5, longitude: 13.4, name: 'Our shop' } });
  await say({ message_type: 'interactive', interactive: { type: 'button', body: { text: 'Does it suit you?' }, action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Yes' } }, { type: 'reply', reply: { id: 'n', title: 'No' } }] } } });
  await conversationOf(customer, 21);
  // They are known by another number from then on.
  await customer.sends({ type: 'system', system: { wa_id: newPhone() } });

  const late = new Customer(unique('Axe late'));
  await late.writes('Hello?', { timestamp: Math.floor(Date.now() / 1000) - 30 * 3600 });
  closed = await conversationOf(late);

  shortcut = `axe${Date.now() % 1e7}`;
  quickReply = (await api<{ quick_reply: { id: number } }>('POST', '/api/live-chat/quick-replies', { shortcut, content: 'Hello {{customer_name}}, on {{day}}.' })).quick_reply.id;
});

test.afterAll(() => api('DELETE', `/api/live-chat/quick-replies/${quickReply}`));

for (const { name, width, height } of SIZES) {
  for (const locale of LANGUAGES) {
    test.describe(`${name}, ${locale}`, () => {
      test.use({ viewport: { width, height }, storageState: speaking(locale, signedIn()) });

      test('axe finds nothing in the list and what it opens', async ({ page }) => {
        const found: string[] = [];
        const look = async (state: string, part: Locator | null = null) => found.push(...(await examine(page, state, part)));
        await page.goto('/');
        const list = page.locator('[role="region"]:has([role="grid"]), section:has([role="grid"])').last();
        const row = page.locator('[role="grid"] [role="row"]').first();
        await expect(row).toBeVisible();
        await look('list');
        found.push(...(await examinePopups(page, page.locator('header [aria-haspopup]').filter({ visible: true }), 'bar')));
        await withIcon(page, 'arrow-down-up').click();
        found.push(...(await examinePopup(page, 'order')));
        await row.focus();
        await page.keyboard.press('Shift+F10');
        found.push(...(await examinePopup(page, "row's menu")));
        await row.focus();
        await page.keyboard.press('x');
        await expect(page.getByRole('toolbar')).toBeVisible();
        await look('some chosen', list);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('toolbar')).toHaveCount(0);
        const search = page.getByRole('searchbox').first();
        await search.fill('typo');
        await expect(page.locator('[role="grid"] mark').first()).toBeVisible();
        await look('found');
        await search.fill('nothing has this name');
        await expect(page.getByRole('grid')).toHaveCount(0);
        await expect(page.locator('[class*="animate-spin"]')).toHaveCount(0);
        await look('nothing found');
        await page.keyboard.press('Escape');
        await search.blur();

        await page.keyboard.press('Control+KeyK');
        await expect(popups(page).last()).toBeVisible();
        await page.keyboard.type('Axe');
        await expect(page.getByRole('option').nth(2)).toBeVisible();
        found.push(...(await examinePopup(page, 'palette')));
        await page.keyboard.press('?');
        found.push(...(await examinePopup(page, 'shortcuts')));

        await page.context().setOffline(true);
        await expect(page.locator('svg.lucide-wifi-off').first()).toBeVisible();
        await look('offline');
        await page.context().setOffline(false);
        expect(found).toEqual([]);
      });

      test('axe finds nothing in a conversation and what it opens', async ({ page }) => {
        const found: string[] = [];
        const look = async (state: string, part: Locator | null = null) => found.push(...(await examine(page, state, part)));
        await page.setViewportSize({ width, height: TALL });
        const feed = await openThread(page, everything);
        await expect(feed.getByRole('article')).toHaveCount(22);
        await look('thread');
        await feed.locator('article button:has(img)').last().click();
        await expect(page.locator('.yarl__slide_current img')).toBeVisible();
        await page.setViewportSize({ width, height });
        await look('photo', page.locator('.yarl__root'));
        await page.keyboard.press('Escape');
        await expect(page.locator('.yarl__root')).toHaveCount(0);

        const article = feed.getByRole('article').last();
        const menu = async (item: (items: Locator) => Locator) => {
          await article.focus();
          await page.keyboard.press('Enter');
          await item(page.getByRole('menu').getByRole('menuitem')).press('Enter');
        };
        await article.focus();
        await page.keyboard.press('Enter');
        found.push(...(await examinePopup(page, "message's menu")));
        await menu((items) => items.last());
        found.push(...(await examinePopup(page, 'details')));
        await menu((items) => items.filter({ has: page.locator('.lucide-smile-plus') }));
        await expect(page.getByRole('gridcell').first()).toBeVisible();
        found.push(...(await examinePopup(page, 'reactions')));
        await menu((items) => items.filter({ has: page.locator('.lucide-reply') }));
        await expect(page.locator('form blockquote')).toBeVisible();

        const section = page.locator('section:has([role="feed"])');
        await withIcon(section.locator('header'), 'ellipsis-vertical').click();
        found.push(...(await examinePopup(page, 'more')));
        await withIcon(section.locator('header'), 'search').click();
        await section.getByRole('searchbox').fill('typo');
        // It says which of how many is shown, in whichever digits.
        await expect(section.getByRole('status').filter({ hasText: /\p{Nd}/u }).first()).toBeVisible();
        await look('search', section);
        await page.keyboard.press('Escape');
        await expect(section.getByRole('searchbox')).toHaveCount(0);
        await withIcon(section.locator('header'), 'panel-right').click();
        const panel = page.locator('[role="complementary"]:has([data-close]), [role="dialog"]:has([data-close])');
        await expect(panel).toBeVisible();
        await look('contact', width < 1080 ? panel : null);
        await panel.locator('[data-close]').click();
        await expect(panel).toHaveCount(0);

        const form = page.locator('form:has(textarea)');
        const text = form.locator('textarea');
        const attach = withIcon(form, 'plus').first();
        await attach.click();
        const count = await page.getByRole('menuitem').count();
        expect(count).toBeGreaterThan(6);
        await close(page);
        found.push(...(await examinePopups(page, form.locator('button[aria-haspopup]').filter({ visible: true }), 'composer')));
        // The first two open the browser's own dialog for files.
        for (let at = 2; at < count; at += 1) {
          await attach.click();
          await page.getByRole('menuitem').nth(at).click();
          await expect(page.getByRole('menu')).toHaveCount(0);
          found.push(...(await examinePopup(page, `composer's dialog ${at - 1}`)));
        }
        await text.fill(`/${shortcut}`);
        await expect(page.getByRole('listbox').getByRole('option').first()).toBeVisible();
        await look('quick replies', form);
        await text.press('Enter');
        await text.press('End');
        await text.pressSequentially(' https://example.com');
        await text.press('Enter');
        await expect(form.locator('[class*="text-warning"]')).toBeVisible();
        await page.locator('input[type=file]').last().setInputFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Hello') }]);
        await expect(form.getByRole('listitem')).toHaveCount(1);
        await look('all that the composer shows', form);
        await text.fill('');

        await openThread(page, closed);
        await expect(page.locator('button > svg.lucide-layout-template')).toBeVisible();
        await look('closed window');
        await page.keyboard.press('e');
        const toast = page.locator('li[data-state="open"]').last();
        await expect(toast).toBeVisible();
        await look('archived, with a way back', toast);
        await toast.getByRole('button').first().click();
        await expect.poll(async () => (await api<{ conversation: { status: string } }>('GET', `/api/live-chat/conversations/${closed}`)).conversation.status).toBe('active');
        expect(found).toEqual([]);
      });
    });

    test.describe(`${name}, ${locale}, signed out`, () => {
      test.use({ viewport: { width, height }, storageState: speaking(locale, signedOut) });

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
