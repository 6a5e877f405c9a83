import { describe, expect, test } from 'vitest';
import { buttonsObject, checkButtons, checkLink, checkList, EMPTY_FRAME, listObject } from '../../src/composer/dialogs/interactive';
import { cardObject, checkCards, checkLocation, locationObject, readCoordinates } from '../../src/composer/dialogs/places';
import { checkQuickReply } from '../../src/composer/quick_replies/form';

const frame = { ...EMPTY_FRAME, body: ' When? ' };
const row = (title: string, description = '') => ({ key: title, title, description });

describe('buttons', () => {
  test("become WhatsApp's object, each with an id of its own", () => {
    expect(buttonsObject({ ...frame, header: 'Delivery', footer: ' ' }, ['Yes ', 'No'])).toEqual({
      type: 'button',
      header: { type: 'text', text: 'Delivery' },
      body: { text: 'When?' },
      action: {
        buttons: [
          { type: 'reply', reply: { id: 'button-1', title: 'Yes' } },
          { type: 'reply', reply: { id: 'button-2', title: 'No' } },
        ],
      },
    });
  });

  test('are refused where one says nothing, too much, or the same as another', () => {
    expect([...checkButtons({ ...frame, body: '' }, ['', 'x'.repeat(21), 'A', 'A '])]).toEqual([
      ['body', 'missing'],
      ['buttons.0', 'missing'],
      ['buttons.1', 'too_long'],
      ['buttons.3', 'twice'],
    ]);
  });

  test('can have a file above', () => {
    const file = { mediaId: 'm', kind: 'document' as const, name: 'a.pdf' };
    expect(buttonsObject({ ...frame, file }, ['Yes']).header).toEqual({ type: 'document', document: { media_id: 'm', filename: 'a.pdf' } });
  });
});

describe('a list', () => {
  const one = { key: '1', title: '', rows: [row('Morning', 'From 9')] };

  test('needs no title for its only section, and one for each of several', () => {
    expect(checkList(frame, 'Choose', [one]).size).toBe(0);
    expect([...checkList(frame, 'Choose', [one, { ...one, title: 'x' }])]).toEqual([['sections.0', 'missing']]);
  });

  test('has rows with ids of their own', () => {
    const { sections } = listObject(frame, 'Choose', [one, { key: '2', title: 'Later', rows: [row('Evening')] }]).action;
    expect(sections).toEqual([
      { rows: [{ id: 'row-1-1', title: 'Morning', description: 'From 9' }] },
      { title: 'Later', rows: [{ id: 'row-2-1', title: 'Evening' }] },
    ]);
  });
});

test('a link button leads to an https address', () => {
  expect(checkLink(frame, 'Track', 'http://example.com').get('url')).toBe('no_link');
  expect(checkLink(frame, 'Track', '').get('url')).toBe('missing');
  expect(checkLink(frame, 'Track', 'https://example.com').size).toBe(0);
});

describe('a location', () => {
  test('is read from what maps give', () => {
    expect(readCoordinates('52.5163, 13.3777')).toEqual({ latitude: 52.5163, longitude: 13.3777 });
    expect(readCoordinates('https://maps.example.com/@-33.8568,151.2153,17z')).toEqual({ latitude: -33.8568, longitude: 151.2153 });
    expect(readCoordinates('95, 13')).toBeNull();
    expect(readCoordinates('Berlin')).toBeNull();
  });

  test('is checked and takes a comma for a point', () => {
    const fields = { latitude: '52,5', longitude: '181', name: 'Gate', address: '' };
    expect([...checkLocation(fields)]).toEqual([['longitude', 'no_number']]);
    expect(locationObject({ ...fields, longitude: '13' })).toEqual({ latitude: 52.5, longitude: 13, name: 'Gate' });
  });
});

describe('a contact', () => {
  const card = { key: '1', firstName: 'Ada', lastName: '', company: '', email: '', phones: [{ key: '1', phone: '+44 1234 567890', type: 'WORK' as const }] };

  test('has a button to write to an international number', () => {
    expect(cardObject(card)).toEqual({
      name: { formatted_name: 'Ada', first_name: 'Ada' },
      phones: [{ phone: '+44 1234 567890', type: 'WORK', wa_id: '441234567890' }],
    });
  });

  test('needs a name, and a number or an address', () => {
    const empty = { ...card, firstName: ' ', phones: [{ key: '1', phone: '', type: 'CELL' as const }] };
    expect([...checkCards([empty])]).toEqual([
      ['0.firstName', 'missing'],
      ['0.phones.0', 'missing'],
    ]);
    expect(checkCards([{ ...empty, firstName: 'Ada', email: 'ada@example.com' }]).size).toBe(0);
  });
});

test('a quick reply has a shortcut of one word, and a text or a file', () => {
  expect(checkQuickReply({ shortcut: 'a b', content: ' ', file: null })).toEqual({ shortcut: 'space', content: 'missing' });
  expect(checkQuickReply({ shortcut: 'x'.repeat(41), content: 'Hi', file: null })).toEqual({ shortcut: 'too_long' });
  expect(checkQuickReply({ shortcut: 'hi', content: '', file: { mediaId: 'm', name: 'a', kind: 'image', size: 1 } })).toEqual({});
});
