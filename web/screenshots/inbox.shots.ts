/** `npm run screenshots`: has some customers write to a fresh local stack, and takes the pictures in docs/images. */
import { type Browser, expect, type Page, test } from '@playwright/test';
import { api, Customer, simulator, stack, webUrl } from '../e2e/support';
import { plant } from './plant';

const FOLDER = '../docs/images';
const SUPPORT = '200000000000002';
const now = Math.floor(Date.now() / 1000);
const minutes = (count: number) => now - count * 60;

const ada = new Customer('Ada Moreno', { phone: '15550200101' });
const noor = new Customer('نور حداد', { phone: '96170555012' });
const mateus = new Customer('Mateus Carvalho', { phone: '351915550133' });
const yuki = new Customer('Yuki Tanaka', { phone: '81905550114' });
const lena = new Customer('Lena Fischer', { phone: '491515550115', phoneNumberId: SUPPORT });
const samir = new Customer('Samir Haddad', { phone: '33755550116' });
const ines = new Customer('Inês Prado', { phone: '351915550117' });

test.setTimeout(5 * 60_000);

test('pictures of the inbox', async ({ browser }) => {
  const conversation = await write(browser);
  await take(browser, 'inbox-light', { path: `/?conversation=${conversation}` });
  await take(browser, 'inbox-dark', { path: `/?conversation=${conversation}`, dark: true });
  await take(browser, 'contact-panel', { path: `/?conversation=${conversation}`, width: 1440 }, async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Contact' }).first().click();
    await expect(page.getByRole('heading', { name: /media/i }).first()).toBeVisible();
  });
  await take(browser, 'palette', { path: `/?conversation=${conversation}` }, async (page) => {
    await page.keyboard.press('ControlOrMeta+k');
    await page.keyboard.type('ne');
    await expect(page.getByRole('dialog').getByRole('option').first()).toBeVisible();
  });
  await take(browser, 'template', { path: `/?conversation=${await idOf('Samir Haddad')}` }, async (page) => {
    await page.getByRole('button', { name: 'Send a template' }).or(page.getByRole('button', { name: /template/i })).first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
  });
  await take(browser, 'phone-list', { path: '/', width: 390, height: 844 });
  await take(browser, 'phone-thread', { path: `/?conversation=${conversation}`, width: 390, height: 844, dark: true });
  await take(browser, 'arabic', { path: `/?conversation=${await idOf('نور حداد')}`, language: 'ar' });
  await take(browser, 'sign-in', { path: '/', signedOut: true });
});

interface View {
  path: string;
  width?: number;
  height?: number;
  dark?: boolean;
  language?: string;
  signedOut?: boolean;
}

async function take(browser: Browser, name: string, view: View, prepare: (page: Page) => Promise<void> = () => Promise.resolve()): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: view.width ?? 1280, height: view.height ?? 800 },
    deviceScaleFactor: 2,
    colorScheme: view.dark ? 'dark' : 'light',
    locale: view.language ?? 'en-GB',
    reducedMotion: 'reduce',
    ...(view.signedOut && { storageState: { cookies: [], origins: [] } }),
  });
  const page = await context.newPage();
  await page.goto(webUrl + view.path);
  if (view.signedOut) await expect(page.getByRole('button').first()).toBeVisible();
  else await expect(page.getByRole(view.path === '/' ? 'row' : 'article').first()).toBeVisible();
  await prepare(page);
  // Pictures come after their messages.
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
  await context.close();
}

async function idOf(name: string): Promise<number> {
  const { conversations } = await api<{ conversations: { id: number }[] }>('GET', `/api/live-chat/conversations?q=${encodeURIComponent(name)}`);
  const id = conversations[0]?.id;
  if (id === undefined) throw new Error(`${name} has not written`);
  return id;
}

async function store(bytes: Buffer, mimeType: string): Promise<string> {
  const answer = await fetch(`${stack.simulator_url}/_simulator/media?phone_number_id=${stack.phone_number_id}`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: { 'content-type': mimeType },
  });
  return ((await answer.json()) as { id: string }).id;
}

async function picture(browser: Browser, svg: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
  await page.setContent(`<style>body{margin:0}</style>${svg}`);
  const bytes = await page.screenshot({ type: 'jpeg', quality: 85 });
  await page.close();
  return bytes;
}

/** What customers and the business wrote; gives the conversation that is looked at. */
async function write(browser: Browser): Promise<number> {
  await samir.writes('Do you have the blue pots again?', { timestamp: minutes(26 * 60) });
  await mateus.writes('Perfeito, obrigado! 🌿', { timestamp: minutes(190) });
  await simulator('POST', '/echoes', {
    phone_number_id: mateus.phoneNumberId,
    to: mateus.phone,
    type: 'text',
    text: { body: 'De nada, Mateus. Boa sorte com a mudança!' },
    timestamp: minutes(186),
  });
  await yuki.sends({ type: 'voice', timestamp: minutes(74) });
  await lena.sends({ type: 'document', document: { filename: 'Rechnung 2291.pdf', caption: 'Is this the right amount?' }, timestamp: minutes(51) });
  await noor.writes('مرحبا، هل نبات المونستيرا متوفر؟', { timestamp: minutes(33) });
  await noor.writes('وكم يستغرق التوصيل إلى بيروت؟', { timestamp: minutes(32) });
  await ines.sends({ type: 'location', location: { latitude: 38.7169, longitude: -9.1399, name: 'Praça do Comércio', address: 'Lisboa' }, timestamp: minutes(17) });

  await ada.writes('My monstera arrived today. *Thank you*, it is huge!', { timestamp: minutes(14) });
  const leaf = await store(await picture(browser, plant), 'image/jpeg');
  const photo = await ada.sends({ type: 'image', image: { id: leaf, caption: 'This leaf worries me, though' }, timestamp: minutes(13) });
  await ada.writes('Is it too much sun, or too little water?', { timestamp: minutes(12) });
  await expect.poll(() => idOf('Ada Moreno').catch(() => 0)).toBeGreaterThan(0);
  const conversation = await idOf('Ada Moreno');
  const messages = async () => (await api<{ messages: { wa_message_id: string; media: { state: string } | null; status: string }[] }>('GET', `/api/live-chat/messages?conversation_id=${conversation}`)).messages;
  await expect.poll(async () => (await messages()).find(({ wa_message_id: id }) => id === photo)?.media?.state).toBe('stored');
  await api('POST', '/api/live-chat/send-message', {
    conversation_id: conversation,
    message: 'Most likely the sun, Ada. Move it _two steps_ away from the window, and let the soil dry first:\n- finger test before watering\n- no fertiliser for two weeks\n\nMore here: https://example.com/care/monstera',
    reply_to: photo,
    preview_url: false,
  });
  const settled = async () => (await messages()).every(({ status }) => status !== 'pending' && status !== 'sent');
  await expect.poll(settled).toBe(true);
  await ada.sends({ type: 'reaction', reaction: { message_id: (await messages())[0]?.wa_message_id, emoji: '🙏' } });
  await ada.sends({ type: 'voice' });
  await expect.poll(() => idOf('Inês Prado').catch(() => 0)).toBeGreaterThan(0);
  await expect.poll(async () => (await messages()).every(({ media }) => media === null || media.state === 'stored')).toBe(true);
  return conversation;
}
