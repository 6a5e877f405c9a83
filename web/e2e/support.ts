/** The stack that the tests run against, and who is on the other side of it. `WABA_STACK_FILE` names its stack.json, `WEB_URL` the page where that does not. */
import { Buffer } from 'node:buffer';
import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';
import { Client } from 'pg';

export interface StackFile {
  api_url: string;
  web_url: string | null;
  webhook_url: string;
  simulator_url: string;
  database_url: string;
  app_secret: string;
  jwt_secret: string;
  jwt_issuer: string;
  user_id: string;
  waba_id: string;
  phone_number_id: string;
  agent_token: string;
}

export const stack = JSON.parse(readFileSync(process.env['WABA_STACK_FILE'] ?? '../.local/stack.json', 'utf8')) as StackFile;
export const webUrl = process.env['WEB_URL'] ?? stack.web_url ?? '';

/** What a browser has kept in which this token was signed in by. */
export function signedIn(token: string = stack.agent_token, name = 'the demo agent') {
  const session = { name: 'waba-live-chat.session', value: JSON.stringify({ name, token }) };
  return { cookies: [], origins: [{ origin: new URL(webUrl).origin, localStorage: [session] }] };
}

/** What a new browser has kept. */
export const signedOut = { cookies: [], origins: [] };

/** A phone number that no other test has. */
export function newPhone(): string {
  return `4915${String(randomInt(1e9)).padStart(9, '0')}`;
}

/** Asks the simulator's control API. */
export async function simulator<T = unknown>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${stack.simulator_url}/_simulator${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!answer.ok) throw new Error(`The simulator answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A customer with a phone. */
export class Customer {
  readonly phone: string;
  readonly name: string;
  readonly phoneNumberId: string;

  constructor(name: string, { phone = newPhone(), phoneNumberId = stack.phone_number_id }: { phone?: string; phoneNumberId?: string } = {}) {
    this.name = name;
    this.phone = phone;
    this.phoneNumberId = phoneNumberId;
  }

  /** Sends a message of any kind, such as `{type: 'image'}`; gives its wamid. */
  async sends(message: Record<string, unknown>): Promise<string> {
    const body = { phone_number_id: this.phoneNumberId, from: this.phone, name: this.name, ...message };
    return (await simulator<{ wamid: string }>('POST', '/customer-messages', body)).wamid;
  }

  writes(text: string, more: Record<string, unknown> = {}): Promise<string> {
    return this.sends({ text: { body: text }, ...more });
  }
}

/** Signs and posts a webhook as Meta does. */
export async function postWebhook(body: unknown): Promise<void> {
  const bytes = JSON.stringify(body);
  const signature = createHmac('sha256', stack.app_secret).update(bytes).digest('hex');
  const answer = await fetch(stack.webhook_url, {
    method: 'POST',
    body: bytes,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
  });
  if (!answer.ok) throw new Error(`The webhook answered ${answer.status}`);
}

/** An access token as Supabase makes them for this user. */
export function tokenOf(userId: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: userId, role: 'authenticated', aud: 'authenticated', iss: stack.jwt_issuer, exp: Math.floor(Date.now() / 1000) + 86_400 };
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', stack.jwt_secret).update(head).digest('base64url')}`;
}

/** Asks the API as the demo agent. */
export async function api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(stack.api_url + path, {
    method,
    headers: { authorization: `Bearer ${stack.agent_token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`The API answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A name that no other test has given. */
export function unique(name: string): string {
  return `${name} ${randomUUID().slice(0, 8)}`;
}

/** The conversation of a customer, once so many messages are in it, and their files. */
export async function conversationOf({ phone }: Customer, messages = 1): Promise<number> {
  let id = 0;
  const count = async () => {
    const { conversations } = await api<{ conversations: { id: number }[] }>('GET', `/api/live-chat/conversations?q=${phone}`);
    id = conversations[0]?.id ?? 0;
    let count = 0;
    for (let before: string | null = id === 0 ? null : ''; before !== null; ) {
      const page: MessagesPage = await api<MessagesPage>('GET', `/api/live-chat/messages?conversation_id=${id}&limit=100${before && `&before=${before}`}`);
      count += page.messages.filter(({ media }) => media?.state !== 'pending').length;
      before = page.next_cursor;
    }
    return count;
  };
  await expect.poll(count, { message: `the messages with ${phone}` }).toBeGreaterThanOrEqual(messages);
  return id;
}

interface MessagesPage {
  messages: { media: { state: string } | null }[];
  next_cursor: string | null;
}

export interface Sent {
  readonly type: string;
  readonly [kind: string]: unknown;
}

/** What WhatsApp was given for this customer, oldest first. */
export async function sentTo({ phone, phoneNumberId }: Customer): Promise<Sent[]> {
  const messages = await simulator<{ customer: string; body: Sent }[]>('GET', `/messages?phone_number_id=${phoneNumberId}`);
  return messages.filter(({ customer }) => customer === phone).map(({ body }) => body);
}

/** The newest of them, once there are `count`. */
export async function lastSent(customer: Customer, count = 1): Promise<Sent> {
  await expect.poll(async () => (await sentTo(customer)).length, { timeout: 20_000 }).toBe(count);
  return (await sentTo(customer)).at(-1) as Sent;
}

/** Brings up the browser's dialog for files, and chooses one. */
export async function chooseFile(page: Page, open: () => Promise<void>, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  // That dialogs are caught is told to the page's own thread, where a key or a tap can overtake it; this cannot.
  await page.evaluate(() => {});
  await open();
  await (await chooser).setFiles(file);
}

/** An agent with an account and a number of their own, as whoever looks after the database makes them. */
export async function newAgent(): Promise<{ readonly token: string; readonly phoneNumberId: string; readonly wabaId: string; readonly userId: string }> {
  const userId = randomUUID();
  const wabaId = `1${String(randomInt(1e9)).padStart(14, '7')}`;
  const phoneNumberId = `2${String(randomInt(1e9)).padStart(14, '7')}`;
  const database = new Client({ connectionString: stack.database_url });
  await database.connect();
  try {
    await database.query('insert into users (id) values ($1)', [userId]);
    // Of the demo account's token only its form matters: nothing is sent by this account.
    await database.query('insert into waba_accounts (waba_id, user_id, access_token) select $1, $2, access_token from waba_accounts where waba_id = $3', [wabaId, userId, stack.waba_id]);
    await database.query("insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered) values ($1, $2, '+1 555-010-0099', 'Another Shop', true)", [wabaId, phoneNumberId]);
  } finally {
    await database.end();
  }
  return { token: tokenOf(userId), phoneNumberId, wabaId, userId };
}

/** The system's Chromium: `CHROMIUM`, or where it usually is. */
export function chromiumPath(): string {
  const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];
  const found = places.find((file) => file !== undefined && existsSync(file));
  if (!found) throw new Error('No Chromium was found: install it, or name it in CHROMIUM');
  return found;
}
