/** The composer: what an agent writes, records, attaches and chooses is what the customer gets. */
import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { api, conversationOf, Customer, lastSent, sentTo, stack, unique } from './support';

/** An agent has 500 quick replies at the most: those of these tests go again. */
const made: number[] = [];

async function makeQuickReply(shortcut: string, content: string): Promise<void> {
  const { quick_reply: quickReply } = await api<{ quick_reply: { id: number } }>('POST', '/api/live-chat/quick-replies', { shortcut, content });
  made.push(quickReply.id);
}

test.afterAll(async () => {
  for (const id of made) await api('DELETE', `/api/live-chat/quick-replies/${id}`);
});

async function customerWho(name: string, message: Record<string, unknown> = { text: { body: 'Hello?' } }): Promise<Customer> {
  const customer = new Customer(unique(name));
  await customer.sends(message);
  return customer;
}

/** By its address, wherever it stands in the list. */
async function open(page: Page, customer: Customer): Promise<void> {
  await page.goto(`/?conversation=${await conversationOf(customer)}`);
}

function textOf(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Message', exact: true });
}

async function choose(page: Page, item: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Attach' }).click();
  await page.getByRole('menuitem', { name: item }).click();
  return page.getByRole('dialog');
}

/** A picture of one colour. */
function png(width: number, height: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes: Buffer) => {
    let c = 0xffffffff;
    for (const byte of bytes) c = (table[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (type: string, data: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc(body));
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: height }, () => Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0x7a)])));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

test('a text of several lines, with marks by keys, goes out with Enter, and the field is free at once', async ({ page }) => {
  const customer = await customerWho('Text');
  await open(page, customer);
  const text = textOf(page);
  await text.pressSequentially('Hello');
  await text.press('Shift+Enter');
  await text.pressSequentially('until Friday');
  await text.press('Shift+Control+ArrowLeft');
  await text.press('Control+b');
  await expect(text).toHaveValue('Hello\nuntil *Friday*');
  await text.press('Control+z');
  await expect(text).toHaveValue('Hello\nuntil Friday');
  await text.press('Control+i');
  await expect(text).toHaveValue('Hello\nuntil _Friday_');
  await text.press('Enter');
  await expect(text).toHaveValue('');
  await expect(text).toBeFocused();
  expect(await lastSent(customer)).toMatchObject({ type: 'text', text: { body: 'Hello\nuntil _Friday_' } });
});

test('spaces alone cannot be sent, and the end of what fits is counted', async ({ page }) => {
  const customer = await customerWho('Limits');
  await open(page, customer);
  const text = textOf(page);
  await text.fill('   ');
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toHaveCount(0);
  await text.fill('x'.repeat(4090));
  await expect(page.getByText('6 characters left')).toBeVisible();
  await text.fill('x'.repeat(4097));
  await expect(page.getByText('1 character too many')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
});

test('a link goes with its preview, unless the agent does not want it', async ({ page }) => {
  const customer = await customerWho('Link');
  await open(page, customer);
  const text = textOf(page);
  await text.fill('See https://example.com/offer');
  await text.press('Enter');
  expect(await lastSent(customer)).toMatchObject({ text: { preview_url: true } });
  await text.fill('And https://example.com/other');
  await page.getByRole('checkbox', { name: 'Show a preview of the link' }).uncheck();
  await text.press('Enter');
  expect(await lastSent(customer, 2)).toMatchObject({ text: { preview_url: false } });
});

test('a picture with a caption and a document go out, one message each, in order', async ({ page }) => {
  const customer = await customerWho('Files');
  await open(page, customer);
  await expect(textOf(page)).toBeVisible();
  await page.locator('input[type=file]').first().setInputFiles([
    { name: 'parcel.png', mimeType: 'image/png', buffer: png(120, 80) },
    { name: 'offer.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') },
  ]);
  const files = page.getByRole('list', { name: 'Files to send' });
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await expect(files.locator('img')).toBeVisible();
  await files.getByRole('textbox', { name: 'Caption of offer.pdf' }).fill('Our offer');
  await textOf(page).fill('Your parcel');
  await textOf(page).press('Enter');
  await expect(files).toBeHidden();
  expect(await lastSent(customer, 2)).toMatchObject({ type: 'document', document: { filename: 'offer.pdf', caption: 'Our offer' } });
  const [first] = await sentTo(customer);
  expect(first).toMatchObject({ type: 'image', image: { caption: 'Your parcel' } });
});

test('a picture that WhatsApp does not take becomes JPEG, and can go as the document that it was', async ({ page }) => {
  const customer = await customerWho('Webp');
  await open(page, customer);
  await expect(textOf(page)).toBeVisible();
  const webp = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 48;
    canvas.getContext('2d')?.fillRect(0, 0, 64, 48);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp'));
    return [...new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0))];
  });
  await page.locator('input[type=file]').first().setInputFiles({ name: 'plant.webp', mimeType: 'image/webp', buffer: Buffer.from(webp) });
  await expect(page.getByText('plant.jpg')).toBeVisible();
  await page.getByRole('button', { name: 'More for plant.jpg' }).click();
  await page.getByRole('menuitem', { name: 'Send as a document' }).click();
  await expect(page.getByText('plant.webp')).toBeVisible();
  await page.getByRole('button', { name: 'More for plant.webp' }).click();
  await page.getByRole('menuitem', { name: 'Send as a photo' }).click();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer)).toMatchObject({ type: 'image' });
});

test('files can be dropped on the conversation and pasted into the text', async ({ page }) => {
  const customer = await customerWho('Drop');
  await open(page, customer);
  await expect(textOf(page)).toBeVisible();
  const pane = page.locator('section', { has: textOf(page) }).locator('xpath=..');
  const files = page.getByRole('list', { name: 'Files to send' });
  const transfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['Hello'], 'notes.txt', { type: 'text/plain' }));
    return transfer;
  });
  await pane.dispatchEvent('dragenter', { dataTransfer: transfer });
  await expect(page.getByText('Drop files to send them')).toBeVisible();
  await pane.dispatchEvent('drop', { dataTransfer: transfer });
  await expect(page.getByText('Drop files to send them')).toBeHidden();
  await expect(files.getByText('notes.txt')).toBeVisible();
  await textOf(page).evaluate((area) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File(['More'], 'more.txt', { type: 'text/csv' }));
    area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await expect(files.getByText('more.txt')).toBeVisible();
});

test('an empty file is refused in words', async ({ page }) => {
  const customer = await customerWho('Empty');
  await open(page, customer);
  await expect(textOf(page)).toBeVisible();
  await page.locator('input[type=file]').last().setInputFiles({ name: 'nothing.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) });
  await expect(page.getByText('“nothing.txt” is empty.', { exact: true })).toBeVisible();
});

test('a voice message is recorded, listened to and sent as Ogg with Opus', async ({ page }) => {
  const customer = await customerWho('Voice');
  await open(page, customer);
  await page.getByRole('button', { name: 'Record a voice message' }).click();
  await expect(page.getByRole('timer')).toHaveText('0:02');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on recording' }).click();
  await page.getByRole('button', { name: 'Stop and listen first' }).click();
  await page.getByRole('button', { name: 'Play the recording' }).click();
  await expect(page.getByRole('slider', { name: 'Position in the recording' })).not.toHaveValue('0');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const sent = await lastSent(customer);
  expect(sent).toMatchObject({ type: 'audio', audio: { voice: true } });
  const { id } = sent['audio'] as { id: string };
  const file = await fetch(`${stack.simulator_url}/_simulator/media/${id}`);
  expect(file.headers.get('content-type')).toBe('audio/ogg; codecs=opus');
  const bytes = Buffer.from(await file.arrayBuffer());
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('OggS');
  expect(bytes.subarray(28, 36).toString('latin1')).toBe('OpusHead');
  // What browsers can play is real.
  const seconds = await page.evaluate(async (data) => {
    const context = new AudioContext();
    const { duration } = await context.decodeAudioData(new Uint8Array(data).buffer);
    await context.close();
    return duration;
  }, [...bytes]);
  expect(seconds).toBeGreaterThan(1.5);
});

test('a recording is cancelled with Escape and leaves nothing', async ({ page }) => {
  const customer = await customerWho('Cancel');
  await open(page, customer);
  await page.getByRole('button', { name: 'Record a voice message' }).press('Enter');
  await expect(page.getByRole('timer')).toHaveText('0:01');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Record a voice message' })).toBeVisible();
  await expect(page.getByRole('list', { name: 'Files to send' })).toBeHidden();
});

test('quick replies are found by a slash, several in one message, and a blank is filled in', async ({ page }) => {
  const tag = `q${Date.now() % 1e7}`;
  await makeQuickReply(`${tag}-hours`, 'Hello {{customer_name}}, we open at 9.');
  await makeQuickReply(`${tag}-day`, 'We deliver on {{day}}.');
  const customer = await customerWho('Slash');
  await open(page, customer);
  const text = textOf(page);
  await text.pressSequentially(`/${tag}-ho`);
  await expect(page.getByRole('option', { name: new RegExp(`${tag}-hours`) })).toHaveAttribute('aria-selected', 'true');
  await text.press('Enter');
  await expect(text).toHaveValue(`Hello ${customer.name}, we open at 9.`);
  await text.pressSequentially(` /${tag}-day`);
  await expect(page.getByRole('option')).toHaveCount(1);
  await text.press('Tab');
  await expect(text).toHaveValue(`Hello ${customer.name}, we open at 9. We deliver on {{day}}.`);
  await text.press('End');
  await text.press('Enter');
  await expect(page.getByText('One blank is still to be filled in.')).toBeVisible();
  await text.pressSequentially('Friday');
  await text.press('Enter');
  expect(await lastSent(customer)).toMatchObject({ text: { body: `Hello ${customer.name}, we open at 9. We deliver on Friday.` } });
});

test('a quick reply with a file is made, used and deleted', async ({ page }) => {
  const shortcut = `f${Date.now() % 1e7}`;
  const customer = await customerWho('Quick');
  await open(page, customer);
  const dialog = await choose(page, 'Quick replies');
  await dialog.getByRole('button', { name: 'New quick reply' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByText('Fill this in')).toBeVisible();
  await dialog.getByRole('textbox', { name: 'Shortcut' }).fill(shortcut);
  await dialog.getByRole('textbox', { name: 'Text', exact: true }).fill('Dear ');
  await dialog.getByRole('button', { name: 'Insert a variable' }).click();
  await page.getByRole('menuitem', { name: "Customer's name" }).click();
  await expect(dialog.getByRole('textbox', { name: 'Text', exact: true })).toHaveValue('Dear {{customer_name}}');
  await expect(dialog.getByRole('region', { name: 'Preview' }).getByText(`Dear ${customer.name}`)).toBeVisible();
  await dialog.locator('input[type=file]').setInputFiles({ name: 'plan.png', mimeType: 'image/png', buffer: png(40, 30) });
  await expect(dialog.getByRole('button', { name: 'Remove plan.png' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByText(`/${shortcut}`)).toBeVisible();
  await page.keyboard.press('Escape');
  await textOf(page).pressSequentially(`/${shortcut}`);
  await page.getByRole('option', { name: new RegExp(shortcut) }).click();
  await expect(page.getByRole('list', { name: 'Files to send' })).toBeVisible();
  await textOf(page).press('Enter');
  expect(await lastSent(customer)).toMatchObject({ type: 'image', image: { caption: `Dear ${customer.name}` } });
  const again = await choose(page, 'Quick replies');
  await again.getByRole('button', { name: `Delete /${shortcut}` }).click();
  await expect(again.getByText(`/${shortcut}`, { exact: true })).toBeHidden();
});

test('after the window closed a template is filled in and sent', async ({ page }) => {
  const yesterday = Math.floor(Date.now() / 1000) - 30 * 3600;
  const customer = await customerWho('Late', { text: { body: 'Hello?' }, timestamp: yesterday });
  await open(page, customer);
  await expect(page.getByText('The 24 hours to answer are over')).toBeVisible();
  await expect(textOf(page)).toBeHidden();
  await page.getByRole('button', { name: 'Send template' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox', { name: 'Search templates' }).fill('order update');
  await dialog.getByRole('button', { name: /order_update.*English/ }).click();
  await dialog.getByRole('button', { name: 'Send template' }).click();
  await expect(dialog.getByText('Fill this in')).toHaveCount(3);
  await expect(dialog.getByRole('textbox', { name: 'Header, {{1}}' })).toBeFocused();
  await dialog.getByRole('textbox', { name: 'Header, {{1}}' }).fill('A-7');
  await dialog.getByRole('textbox', { name: 'Text, {{1}}' }).fill('Ada');
  await dialog.getByRole('textbox', { name: 'Text, {{2}}' }).fill('Friday');
  await expect(dialog.getByText('Hello Ada, your order will arrive on Friday.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Send template' }).click();
  await expect(dialog).toBeHidden();
  expect(await lastSent(customer)).toMatchObject({
    type: 'template',
    template: {
      name: 'order_update',
      components: [
        { type: 'header', parameters: [{ type: 'text', text: 'A-7' }] },
        { type: 'body', parameters: [{ type: 'text', text: 'Ada' }, { type: 'text', text: 'Friday' }] },
      ],
    },
  });
});

test('a draft that came too late is offered to a template with one blank', async ({ page }) => {
  // The window closes within the test.
  const customer = await customerWho('Closing', { text: { body: 'Hello?' }, timestamp: Math.floor(Date.now() / 1000) - 24 * 3600 + 20 });
  await open(page, customer);
  await expect(page.getByText('You can write freely for another')).toBeVisible();
  await textOf(page).fill('A-1001');
  await expect(page.getByText('Your draft is kept')).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Use it in a template' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /order_shipped/ }).click();
  await expect(dialog.getByRole('textbox', { name: 'Text, {{1}}' })).toHaveValue('A-1001');
  await expect(dialog.getByText('Your parcel A-1001 is on its way.')).toBeVisible();
  await dialog.locator('input[type=file]').setInputFiles({ name: 'parcel.png', mimeType: 'image/png', buffer: png(60, 40) });
  await dialog.getByRole('textbox', { name: /End of the link/ }).fill('A-1001');
  await expect(dialog.getByRole('button', { name: 'Remove parcel.png' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Send template' }).click();
  expect(await lastSent(customer)).toMatchObject({ type: 'template', template: { name: 'order_shipped' } });
  await expect(page.getByText('Your draft is kept')).toBeHidden();
});

test('buttons, a list, a link, a location and a contact arrive as they were filled in', async ({ page }) => {
  const customer = await customerWho('Kinds');
  await open(page, customer);
  await expect(textOf(page)).toBeVisible();

  const buttons = await choose(page, 'Reply buttons');
  await buttons.getByRole('textbox', { name: 'Text', exact: true }).fill('Does Friday suit you?');
  await buttons.getByRole('textbox', { name: 'Button 1' }).fill('Yes');
  await buttons.getByRole('button', { name: 'Add a button' }).click();
  await buttons.getByRole('textbox', { name: 'Button 2' }).fill('Yes');
  await buttons.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(buttons.getByText('This is there twice')).toBeVisible();
  await buttons.getByRole('textbox', { name: 'Button 2' }).fill('No');
  await buttons.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer)).toMatchObject({
    interactive: { type: 'button', action: { buttons: [{ reply: { title: 'Yes' } }, { reply: { title: 'No' } }] } },
  });

  const list = await choose(page, 'List to choose from');
  await list.getByRole('textbox', { name: 'Text', exact: true }).fill('When?');
  await list.getByRole('textbox', { name: 'Button that opens the list' }).fill('Choose');
  await list.getByRole('textbox', { name: 'Row 1', exact: true }).fill('Morning');
  await list.getByRole('textbox', { name: 'Description of row 1' }).fill('From 9 to 12');
  await list.getByRole('button', { name: 'Add a row' }).click();
  await list.getByRole('textbox', { name: 'Row 2', exact: true }).fill('Evening');
  await list.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer, 2)).toMatchObject({
    interactive: { type: 'list', action: { button: 'Choose', sections: [{ rows: [{ title: 'Morning', description: 'From 9 to 12' }, { title: 'Evening' }] }] } },
  });

  const link = await choose(page, 'Link button');
  await link.getByRole('textbox', { name: 'Text', exact: true }).fill('Track your parcel');
  await link.getByRole('textbox', { name: 'What the button says' }).fill('Track it');
  await link.getByRole('textbox', { name: 'Where it leads' }).fill('https://example.com/track');
  await link.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer, 3)).toMatchObject({ interactive: { type: 'cta_url', action: { parameters: { url: 'https://example.com/track' } } } });

  const location = await choose(page, 'Location');
  await location.getByRole('textbox', { name: 'Latitude' }).fill('52.5163, 13.3777');
  await expect(location.getByRole('textbox', { name: 'Longitude' })).toHaveValue('13.3777');
  await location.getByRole('textbox', { name: 'Name of the place' }).fill('Brandenburg Gate');
  await location.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer, 4)).toMatchObject({ type: 'location', location: { name: 'Brandenburg Gate' } });

  const contact = await choose(page, 'Contact');
  await contact.getByRole('textbox', { name: 'First name' }).fill('Ada');
  await contact.getByRole('textbox', { name: 'Last name' }).fill('Lovelace');
  await contact.getByRole('textbox', { name: 'Phone number' }).fill('+44 1234 567890');
  await contact.getByRole('button', { name: 'Add a phone number' }).click();
  await contact.getByRole('textbox', { name: 'Phone number' }).last().fill('+44 1234 567891');
  await contact.getByRole('button', { name: 'Send', exact: true }).click();
  expect(await lastSent(customer, 5)).toMatchObject({
    type: 'contacts',
    contacts: [{ name: { formatted_name: 'Ada Lovelace' }, phones: [{ wa_id: '441234567890' }, { wa_id: '441234567891' }] }],
  });
});

test('a draft with a file is there again after another conversation, and after a reload', async ({ page }) => {
  const customer = await customerWho('Draft');
  const other = await customerWho('Other');
  await open(page, customer);
  await textOf(page).fill('Half a sen');
  await page.locator('input[type=file]').last().setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Hello') });
  const files = page.getByRole('list', { name: 'Files to send' });
  await expect(files.getByText('notes.txt')).toBeVisible();
  await page.getByText(other.name).first().click();
  await expect(textOf(page)).toHaveValue('');
  await expect(files).toBeHidden();
  await page.getByText(customer.name).first().click();
  await expect(textOf(page)).toHaveValue('Half a sen');
  await page.reload();
  await expect(textOf(page)).toHaveValue('Half a sen');
  await expect(files.getByText('notes.txt')).toBeVisible();
  await textOf(page).press('Enter');
  expect(await lastSent(customer)).toMatchObject({ type: 'document', document: { caption: 'Half a sen' } });
});

test('everything is reached by the keyboard', async ({ page }) => {
  const customer = await customerWho('Keys');
  await open(page, customer);
  await textOf(page).focus();
  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Attach' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Photos and videos' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Document' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Location' })).toBeFocused();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Location' });
  await expect(dialog.getByRole('textbox', { name: 'Latitude' })).toBeFocused();
  await page.keyboard.type('1');
  await page.keyboard.press('Tab');
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(textOf(page)).toBeFocused();
  expect(await lastSent(customer)).toMatchObject({ type: 'location', location: { latitude: 1, longitude: 2 } });
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Formatting' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('searchbox', { name: 'Search emoji' })).toBeFocused();
  await page.keyboard.type('heart');
  await expect(page.getByRole('gridcell', { selected: true })).toHaveAccessibleName(/heart/i);
  await page.keyboard.press('Enter');
  await expect(textOf(page)).toBeFocused();
  await expect(textOf(page)).not.toHaveValue('');
});

test('it fits a page of 320 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const customer = await customerWho('Narrow');
  await open(page, customer);
  await textOf(page).fill('A text that is longer than a line of a narrow page has room for');
  const send = await page.getByRole('button', { name: 'Send', exact: true }).boundingBox();
  expect((send?.x ?? 999) + (send?.width ?? 999)).toBeLessThanOrEqual(320);
  const dialog = await choose(page, 'Contact');
  await expect(dialog.getByRole('textbox', { name: 'First name' })).toBeVisible();
  const isCut = await dialog.evaluate((element) => element.scrollWidth > element.clientWidth);
  expect(isCut).toBe(false);
});

test('a composer that comes late takes the focus, but not from what was opened meanwhile', async ({ page }) => {
  const customer = await customerWho('Late Composer');
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await page.route(/open_composer/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/');
  const row = page.getByRole('row').filter({ hasText: customer.name });
  await row.click();
  await expect(page.getByRole('article').last()).toBeVisible();
  await page.getByRole('button', { name: 'Account, language and appearance' }).click();
  await expect(page.getByRole('menu')).toBeVisible();
  go();
  await expect(page.locator('textarea')).toBeVisible();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeFocused();
  await page.goto('/');
  await row.click();
  await expect(textOf(page)).toBeFocused();
});
