/** The open conversation: what customers send, what becomes of what we send, and how one moves in it. */
import { randomUUID } from 'node:crypto';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, conversationOf as conversationWith, Customer, lastSent, newPhone, postWebhook, signedIn, simulator, stack } from './support';

test.use({ storageState: signedIn() });

interface Found {
  conversations: { id: number; unread_count: number }[];
}

/** A customer of whom no other test knows. */
function someone(): Customer {
  return new Customer(`Thread ${randomUUID().slice(0, 8)}`);
}

async function open(page: Page, id: number): Promise<Locator> {
  await page.goto(`/?conversation=${id}`);
  const feed = page.getByRole('feed', { name: 'Messages' });
  await expect(feed.getByRole('article').last()).toBeVisible();
  return feed;
}

/** Oldest first, each a second after the one before. */
async function writesMany(customer: Customer, count: number, text: (index: number) => string): Promise<number> {
  const begin = Math.floor(Date.now() / 1000) - count - 60;
  for (let at = 0; at < count; at += 20) {
    await Promise.all(Array.from({ length: Math.min(20, count - at) }, (_, index) => customer.writes(text(at + index), { timestamp: begin + at + index })));
  }
  return conversationWith(customer, count);
}

async function say(id: number, message: string, more: Record<string, unknown> = {}): Promise<{ message_id: string; wa_message_id: string }> {
  const reply = await api<{ message: { message_id: string; wa_message_id: string } }>('POST', '/api/live-chat/send-message', { conversation_id: id, message_id: randomUUID(), message, ...more });
  return reply.message;
}

/** The list of messages itself, which scrolls. */
const scroller = (feed: Locator) => feed.locator('xpath=..');
const distanceFromEnd = (feed: Locator) => scroller(feed).evaluate((element) => Math.round(element.scrollHeight - element.clientHeight - element.scrollTop));

test('a customer’s text is formatted, its links lead outside', async ({ page }) => {
  const ada = someone();
  await ada.writes('*Bold* and _slanted_, `code`; see https://example.com/a_b_c.\n> a quote\n- one\n- two');
  const feed = await open(page, await conversationWith(ada));
  const article = feed.getByRole('article', { name: /Bold and slanted/ });
  await expect(article.locator('strong')).toHaveText('Bold');
  await expect(article.locator('em')).toHaveText('slanted');
  await expect(article.getByRole('blockquote')).toHaveText('a quote');
  await expect(article.getByRole('listitem')).toHaveText(['one', 'two']);
  const link = article.getByRole('link', { name: 'https://example.com/a_b_c' });
  await expect(link).toHaveAttribute('rel', 'noopener noreferrer');
  await expect(link).toHaveAttribute('target', '_blank');
});

test('each type of message is shown as what it is', async ({ page }) => {
  const ada = someone();
  for (const type of ['image', 'video', 'audio', 'voice', 'document', 'sticker', 'location', 'contacts', 'button', 'order', 'unsupported']) await ada.sends({ type });
  await ada.sends({ type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: 'fri', title: 'Friday', description: 'By bicycle' } } });
  await ada.sends({ type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'sat', title: 'Saturday' } } });
  await ada.sends({ type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply: { response_json: { city: 'Lisbon' } } } });
  await ada.writes('An ad brought me', { referral: { source_url: 'https://fb.me/x', source_type: 'ad', source_id: '1', headline: 'Summer sale' } });
  await ada.writes('Passed on', { context: { forwarded: true } });
  const id = await conversationWith(ada, 16);
  // They are known by another number from then on.
  await ada.sends({ type: 'system', system: { wa_id: newPhone(), body: 'The customer has another number' } });
  await page.setViewportSize({ width: 1280, height: 3600 });
  const feed = await open(page, id);
  await expect(feed.getByRole('button', { name: `Open the photo from ${ada.name}` })).toBeVisible();
  await expect(feed.locator('video')).toBeVisible();
  await expect(feed.getByRole('slider', { name: 'Position in the voice message' })).toBeVisible();
  await expect(feed.getByRole('slider')).toHaveCount(2);
  await expect(feed.getByRole('article', { name: /: Yes$/ })).toBeVisible();
  await expect(feed.getByText('Saturday')).toBeVisible();
  await expect(feed.getByText('The customer has another number')).toBeVisible();
  await expect(feed.getByRole('button', { name: /sample\.pdf.*Download/ })).toBeVisible();
  await expect(feed.getByRole('img', { name: 'Sticker' })).toBeVisible();
  await expect(feed.getByRole('link', { name: 'Open in maps' })).toHaveAttribute('href', /52\.5163,13\.3777/);
  await expect(feed.getByRole('link', { name: 'ada@example.com' })).toHaveAttribute('href', 'mailto:ada@example.com');
  await expect(feed.getByText('Order of 3 items')).toBeVisible();
  await expect(feed.getByText('€31.00')).toBeVisible();
  await expect(feed.getByText('WhatsApp does not pass on this kind of message.')).toBeVisible();
  await expect(feed.getByText('By bicycle')).toBeVisible();
  await expect(feed.getByText('Lisbon')).toBeVisible();
  await expect(feed.getByText('Summer sale')).toBeVisible();
  await expect(feed.getByText('Forwarded', { exact: true })).toBeVisible();
});

test('an answer quotes its message, and a press on the quote shows that', async ({ page }) => {
  const ada = someone();
  const first = await ada.writes('The very first question');
  await conversationWith(ada);
  await writesMany(ada, 70, (index) => `Filling ${index}`);
  await ada.writes('About the first one', { context: { message_id: first }, timestamp: Math.floor(Date.now() / 1000) + 1 });
  const feed = await open(page, await conversationWith(ada, 72));
  await feed.getByRole('button', { name: /The very first question.*Show this message/ }).click();
  const original = feed.getByRole('article', { name: /: The very first question$/ });
  await expect(original).toBeInViewport();
});

test('reactions, edits and deletions show at once', async ({ page }) => {
  const ada = someone();
  const first = await ada.writes('With a tpyo');
  const second = await ada.writes('Not meant for you');
  const feed = await open(page, await conversationWith(ada, 2));
  await ada.sends({ type: 'reaction', reaction: { message_id: first, emoji: '🎉' } });
  await expect(feed.getByRole('img', { name: `${ada.name} reacted with 🎉` })).toBeVisible();
  await ada.sends({ type: 'edit', edit: { original_message_id: first, message: { type: 'text', text: { body: 'Without a typo' } } } });
  await expect(feed.getByRole('article', { name: /Without a typo/ })).toContainText('Edited');
  await ada.sends({ type: 'revoke', revoke: { original_message_id: second } });
  await expect(feed.getByText('The customer deleted this message')).toBeVisible();
  await expect(feed.getByText('Not meant for you')).toHaveCount(0);
});

test('an agent reacts from the menu, by keyboard alone, and takes it back by a press', async ({ page }) => {
  const ada = someone();
  await ada.writes('Thank you!');
  const feed = await open(page, await conversationWith(ada));
  const article = feed.getByRole('article', { name: /Thank you!/ });
  await article.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'React with ❤️' }).press('Enter');
  const mine = article.getByRole('button', { name: /^You reacted with ❤️/ });
  await expect(mine).toBeVisible();
  await expect(article).toBeFocused();
  expect(await lastSent(ada)).toMatchObject({ type: 'reaction', reaction: { emoji: '❤️' } });
  await mine.click();
  await expect(mine).toHaveCount(0);
  expect(await lastSent(ada, 2)).toMatchObject({ type: 'reaction', reaction: { emoji: '' } });
});

test('what was written on the business’s own phone is there too, as are its edits and deletions', async ({ page }) => {
  const ada = someone();
  await ada.writes('Hello?');
  const feed = await open(page, await conversationWith(ada));
  const echo = async (message: object) => (await simulator<{ wamid: string }>('POST', '/echoes', { phone_number_id: ada.phoneNumberId, to: ada.phone, ...message })).wamid;
  const first = await echo({ text: { body: 'From the phnoe' } });
  const second = await echo({ text: { body: 'Not meant for her' } });
  await expect(feed.getByRole('article', { name: /^You, .*Not meant for her$/ })).toBeVisible();
  await echo({ type: 'edit', edit: { original_message_id: first, message: { type: 'text', text: { body: 'From the phone' } } } });
  await expect(feed.getByRole('article', { name: /^You, .*From the phone$/ })).toContainText('Edited');
  await echo({ type: 'revoke', revoke: { original_message_id: second } });
  await expect(feed.getByText('This message was deleted')).toBeVisible();
  await expect(feed.getByText('Not meant for her')).toHaveCount(0);
});

test('an answer to one message quotes it on both sides', async ({ page }) => {
  const ada = someone();
  const wamid = await ada.writes('Which of the two?');
  const feed = await open(page, await conversationWith(ada));
  await feed.getByRole('article', { name: /Which of the two/ }).hover();
  await feed.getByRole('button', { name: 'Reply' }).click();
  const text = page.getByRole('textbox', { name: 'Message', exact: true });
  await expect(text).toBeFocused();
  await text.fill('The blue one');
  await text.press('Enter');
  await expect(feed.getByRole('article', { name: /The blue one$/ }).getByRole('button', { name: /Which of the two.*Show this message/ })).toBeVisible();
  expect(await lastSent(ada)).toMatchObject({ text: { body: 'The blue one' }, context: { message_id: wamid } });
});

test('the ticks follow a message until it was read', async ({ page }) => {
  const ada = someone();
  await ada.writes('Are you there?');
  const id = await conversationWith(ada);
  const feed = await open(page, id);
  await say(id, 'Yes, I am');
  const article = feed.getByRole('article', { name: /^You, .*Yes, I am$/ });
  await expect(article.getByRole('img', { name: 'Read', exact: true })).toBeVisible();
});

test('a photo opens large, and Escape closes it', async ({ page }) => {
  const ada = someone();
  await ada.sends({ type: 'image', image: { caption: 'The first' }, timestamp: Math.floor(Date.now() / 1000) - 60 });
  await ada.sends({ type: 'image', image: { caption: 'The second' } });
  const feed = await open(page, await conversationWith(ada, 2));
  await feed.getByRole('article', { name: /The second/ }).getByRole('button', { name: /^Open the photo/ }).click();
  await expect(page.getByRole('button', { name: 'Download' })).toBeVisible();
  await page.getByRole('button', { name: 'Earlier photo' }).click();
  await expect(page.locator('.yarl__slide_current').getByText('The first')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('.yarl__root')).toHaveCount(0);
});

test('a voice message plays, faster if wanted, and goes on beside another conversation', async ({ page }) => {
  const [ada, ben] = [someone(), someone()];
  await ada.sends({ type: 'voice' });
  await ben.writes('Hello from Ben');
  const id = await conversationWith(ada);
  const other = await conversationWith(ben);
  const feed = await open(page, id);
  await feed.getByRole('button', { name: 'Play' }).click();
  await feed.getByRole('button', { name: /^Speed: / }).click();
  await expect(feed.getByRole('button', { name: 'Speed: 1.5 times' })).toBeVisible();
  await feed.getByRole('slider', { name: 'Position in the voice message' }).press('Home');
  await expect(feed.getByRole('slider')).toHaveAttribute('aria-valuemax', '2');
  await page.getByRole('region', { name: 'Conversations' }).getByText(ben.name).click();
  await expect(page.getByRole('region', { name: `Conversation with ${ben.name}` })).toBeVisible();
  const bar = page.getByRole('region', { name: 'Recording' });
  await expect(bar).toContainText(ada.name);
  await bar.getByRole('button', { name: 'Stop' }).click();
  await expect(bar).toHaveCount(0);
  expect(other).not.toBe(id);
});

test('one that WhatsApp refused says why, and is sent again under its own id', async ({ page }) => {
  const ada = someone();
  await ada.writes('Please answer');
  const id = await conversationWith(ada);
  await simulator('POST', '/faults', { kind: 'status_failed', match: { to: ada.phone }, code: 131026, times: 1 });
  const { message_id: messageId } = await say(id, 'Here you are');
  const feed = await open(page, id);
  const article = feed.getByRole('article', { name: /Here you are$/ });
  await expect(article.getByRole('img', { name: 'Not sent' })).toBeVisible();
  await expect(article).toContainText('The message cannot be delivered.');
  await article.getByRole('button', { name: 'Send again' }).click();
  await expect(article.getByRole('img', { name: 'Read', exact: true })).toBeVisible();
  const { messages } = await api<{ messages: { message_id: string; content: string }[] }>('GET', `/api/live-chat/messages?conversation_id=${id}`);
  expect(messages.filter(({ content }) => content === 'Here you are').map((message) => message.message_id)).toEqual([messageId]);
});

test('older messages come by the wheel, and nothing in sight moves when they do', async ({ page }) => {
  const ada = someone();
  const id = await writesMany(ada, 160, (index) => `Message ${index} ${'with more words '.repeat(index % 7)}`);
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  const feed = await open(page, id);
  await expect.poll(() => distanceFromEnd(feed)).toBeLessThanOrEqual(1);
  await expect(page.getByText('New messages')).toHaveCount(0);
  const box = await scroller(feed).boundingBox();
  if (!box) throw new Error('The list has no place');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  // Each frame: where the rows are. Against the wheel none may move.
  await scroller(feed).evaluate((element) => {
    const seen = new Map<string, number>();
    const state = window as unknown as { against: number };
    state.against = 0;
    const look = () => {
      for (const article of element.querySelectorAll('article')) {
        const name = article.getAttribute('aria-label') ?? '';
        const top = article.getBoundingClientRect().top;
        if (top < element.getBoundingClientRect().bottom && top > 0) {
          const before = seen.get(name);
          if (before !== undefined) state.against = Math.max(state.against, before - top);
          seen.set(name, top);
        } else seen.delete(name);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const oldest = feed.getByRole('article', { name: /: Message 0$/ });
  await expect(async () => {
    await page.mouse.wheel(0, -240);
    expect(await oldest.isVisible()).toBe(true);
  }).toPass({ intervals: [30], timeout: 40_000 });
  expect(await page.evaluate(() => (window as unknown as { against: number }).against)).toBeLessThanOrEqual(1);
  expect(await feed.getByRole('article').count()).toBeLessThanOrEqual(60);
  await page.getByRole('button', { name: /^Show the newest messages/ }).click();
  await expect(feed.getByRole('article', { name: /: Message 159/ })).toBeInViewport();
});

test('who is at the top before older messages come reads on where they were', async ({ page }) => {
  const eve = someone();
  const id = await writesMany(eve, 120, (index) => `Message ${index}`);
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/[?&]before=/, async (route) => {
    await held;
    await route.continue();
  });
  const feed = await open(page, id);
  await expect.poll(() => distanceFromEnd(feed)).toBeLessThanOrEqual(1);
  await scroller(feed).evaluate((element) => element.scrollTo(0, 0));
  const top = feed.getByRole('article', { name: /: Message 70$/ });
  await expect(top).toBeInViewport();
  const placeOf = async () => (await top.boundingBox())?.y ?? Number.NaN;
  const before = await placeOf();
  release();
  await expect.poll(async () => Number(await top.getAttribute('aria-posinset'))).toBeGreaterThan(50);
  expect(Math.abs((await placeOf()) - before)).toBeLessThanOrEqual(1);
});

test('the end stays in sight while messages arrive, and not where somebody reads above', async ({ page }) => {
  const ada = someone();
  const id = await writesMany(ada, 40, (index) => `Line ${index}`);
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  const feed = await open(page, id);
  await ada.writes('And one more');
  await expect(feed.getByRole('article', { name: /And one more/ })).toBeInViewport();
  const box = await scroller(feed).boundingBox();
  if (!box) throw new Error('The list has no place');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -600);
  const button = page.getByRole('button', { name: /^Show the newest messages/ });
  await expect(button).toBeVisible();
  const top = await scroller(feed).evaluate((element) => element.scrollTop);
  // What is of the second of the message that was read may be ordered before it, and counts as read.
  await ada.writes('While you read above', { timestamp: Math.floor(Date.now() / 1000) + 1 });
  await expect(button).toHaveAccessibleName('Show the newest messages, 1 of them new');
  expect(await scroller(feed).evaluate((element) => element.scrollTop)).toBe(top);
  await button.click();
  await expect(feed.getByRole('article', { name: /While you read above/ })).toBeInViewport();
  await expect.poll(async () => (await api<Found>('GET', `/api/live-chat/conversations?q=${ada.phone}`)).conversations[0]?.unread_count).toBe(0);
});

test('new messages have a line above them until the conversation is left', async ({ page }) => {
  const ada = someone();
  // Of one second's messages those that are read may be any.
  await ada.writes('Seen before', { timestamp: Math.floor(Date.now() / 1000) - 60 });
  const id = await conversationWith(ada);
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  await ada.writes('First new one');
  await ada.writes('Second new one');
  await conversationWith(ada, 3);
  const feed = await open(page, id);
  await expect(feed.getByText('New messages')).toBeVisible();
  await expect.poll(async () => (await api<Found>('GET', `/api/live-chat/conversations?q=${ada.phone}`)).conversations[0]?.unread_count).toBe(0);
  await expect(feed.getByText('New messages')).toBeVisible();
});

test('a search goes from hit to hit and marks each', async ({ page }) => {
  const ada = someone();
  const id = await writesMany(ada, 90, (index) => (index === 3 || index === 80 ? `The walrus number ${index}` : `Nothing ${index}`));
  const feed = await open(page, id);
  await page.getByRole('button', { name: 'Search in this conversation' }).click();
  await page.getByRole('searchbox', { name: 'Search in this conversation' }).fill('walrus');
  await expect(page.getByText('1 of 2')).toBeVisible();
  await expect(feed.getByRole('article', { name: /walrus number 80/ }).locator('mark')).toHaveText('walrus');
  await page.keyboard.press('Enter');
  await expect(feed.getByRole('article', { name: /walrus number 3$/ })).toBeInViewport();
  await expect(feed.getByRole('article', { name: /walrus number 3$/ }).locator('mark')).toHaveText('walrus');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('searchbox', { name: 'Search in this conversation' })).toHaveCount(0);
});

test('arrow keys go from message to message, and a reply begins at the menu', async ({ page }) => {
  const ada = someone();
  const id = await writesMany(ada, 30, (index) => `Step ${index}`);
  await api('POST', `/api/live-chat/conversations/${id}/read`);
  const feed = await open(page, id);
  await feed.getByRole('article', { name: /: Step 29$/ }).focus();
  for (let index = 28; index >= 5; index -= 1) {
    await page.keyboard.press('ArrowUp');
    await expect(feed.getByRole('article', { name: new RegExp(`: Step ${index}$`) })).toBeFocused();
  }
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Details' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Message details' });
  await expect(dialog.getByText('WhatsApp’s id')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});

test('what cannot be loaded says so, and comes when asked again', async ({ page }) => {
  const ada = someone();
  await ada.writes('Behind a closed door');
  const id = await conversationWith(ada);
  const isMessages = (url: URL) => url.pathname.endsWith('/api/live-chat/messages');
  await page.route(isMessages, (route) => route.fulfill({ status: 403, json: { success: false, error: { code: 'forbidden', message: 'No' } } }));
  await page.goto(`/?conversation=${id}`);
  await expect(page.getByText('The messages could not be loaded.')).toBeVisible();
  await page.unroute(isMessages);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('article', { name: /Behind a closed door/ })).toBeVisible();
});

for (const open of ['By my number', 'By my name']) test(`two customers who prove to be one become one conversation, where that of “${open}” is open, with the draft`, async ({ page }) => {
  const customer = someone();
  const userId = `PT.${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  // As recent as may be: only the top of the list is drawn.
  let second = Math.floor(Date.now() / 1000) - 3;
  const tells = (body: string, who: { phone?: boolean; user?: boolean }) => {
    second += 1;
    const contact = { profile: { name: customer.name }, ...(who.phone && { wa_id: customer.phone }), ...(who.user && { user_id: userId }) };
    const message = { id: `wamid.${randomUUID()}`, timestamp: String(second), type: 'text', text: { body }, ...(who.phone && { from: customer.phone }), ...(who.user && { from_user_id: userId }) };
    const value = { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550000001', phone_number_id: stack.phone_number_id }, contacts: [contact], messages: [message] };
    return postWebhook({ object: 'whatsapp_business_account', entry: [{ id: stack.waba_id, changes: [{ field: 'messages', value }] }] });
  };
  const row = page.getByRole('region', { name: 'Conversations' }).getByRole('row').filter({ hasText: customer.name });
  const feed = page.getByRole('feed', { name: 'Messages' });
  await tells('By my number', { phone: true });
  await tells('By my name', { user: true });
  await page.goto('/');
  await expect(row).toHaveCount(2);
  await row.filter({ hasText: open }).click();
  await expect(feed.getByRole('article', { name: new RegExp(open) })).toBeVisible();
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill('Half an answer');
  await tells('I am both', { phone: true, user: true });
  await expect(row).toHaveCount(1);
  for (const text of ['By my number', 'By my name', 'I am both']) await expect(feed.getByRole('article', { name: new RegExp(text) })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message', exact: true })).toHaveValue('Half an answer');
});
