import { describe, expect, test } from 'vitest';
import type { Template } from '../../src/api/types';
import { fieldsOf, findTemplates, oneLine, onlyBodyField, problemsOf, renderTemplate, templateObject, unsendable } from '../../src/composer/templates/parameters';

function template(part: Partial<Template>): Template {
  return {
    template_id: '1',
    name: 'order_update',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    quality: null,
    parameter_format: 'POSITIONAL',
    header: null,
    body: { text: 'Hello', parameters: [] },
    footer: null,
    buttons: [],
    other_components: [],
    ...part,
  };
}

const order = template({
  header: { format: 'TEXT', text: 'Order {{1}}', parameters: [{ name: '1', example: 'A-1' }], example: null },
  body: { text: 'Hello {{1}}, on {{2}}.', parameters: [{ name: '1', example: 'Ada' }, { name: '2', example: 'Friday' }] },
  buttons: [
    { index: 0, type: 'QUICK_REPLY', text: 'Thanks', url: null, phone_number: null, parameter: null },
    { index: 1, type: 'URL', text: 'Track', url: 'https://example.com/{{1}}', phone_number: null, parameter: { name: '1', example: 'https://example.com/A-1' } },
  ],
});

describe('a template with placeholders in numbers', () => {
  const values = { 'header.1': { text: 'A-7' }, 'body.1': { text: ' Ada\nLovelace ' }, 'body.2': { text: 'Friday' }, 'button.1': { text: 'A-7' } };

  test('asks for each once, and of a link for its end', () => {
    expect(fieldsOf(order).map(({ key, example }) => [key, example])).toEqual([
      ['header.1', 'A-1'],
      ['body.1', 'Ada'],
      ['body.2', 'Friday'],
      ['button.1', 'A-1'],
    ]);
  });

  test("becomes Graph's object, its texts in one line", () => {
    expect(templateObject(order, values)).toEqual({
      name: 'order_update',
      language: { code: 'en_US' },
      components: [
        { type: 'header', parameters: [{ type: 'text', text: 'A-7' }] },
        { type: 'body', parameters: [{ type: 'text', text: 'Ada Lovelace' }, { type: 'text', text: 'Friday' }] },
        { type: 'button', sub_type: 'url', index: '1', parameters: [{ type: 'text', text: 'A-7' }] },
      ],
    });
  });

  test('is read with what is filled in, and the rest as blanks', () => {
    expect(renderTemplate(order, { 'body.2': { text: 'Friday' } })).toMatchObject({ header: 'Order {{1}}', body: 'Hello {{1}}, on Friday.' });
  });

  test('names what is missing and what is too long', () => {
    const problems = problemsOf(fieldsOf(order), { ...values, 'header.1': { text: '  ' }, 'body.2': { text: 'x'.repeat(1025) } });
    expect([...problems]).toEqual([
      ['header.1', 'missing'],
      ['body.2', 'too_long'],
    ]);
  });
});

test('placeholders with names are given by name, except of buttons', () => {
  const named = template({ parameter_format: 'NAMED', body: { text: '{{first_name}}, hi', parameters: [{ name: 'first_name', example: null }] } });
  expect(templateObject(named, { 'body.first_name': { text: 'Ada' } }).components).toEqual([
    { type: 'body', parameters: [{ type: 'text', text: 'Ada', parameter_name: 'first_name' }] },
  ]);
});

test('a header with a file wants an upload', () => {
  const offer = template({ header: { format: 'DOCUMENT', text: null, parameters: [], example: null } });
  expect(problemsOf(fieldsOf(offer), {}).get('header')).toBe('missing');
  expect(templateObject(offer, { header: { mediaId: 'm', filename: 'offer.pdf' } }).components).toEqual([
    { type: 'header', parameters: [{ type: 'document', document: { media_id: 'm', filename: 'offer.pdf' } }] },
  ]);
});

test('a template without placeholders has no components', () => {
  expect(templateObject(template({}), {})).toEqual({ name: 'order_update', language: { code: 'en_US' } });
});

test('what the API does not take is not offered', () => {
  expect(unsendable(order)).toBeNull();
  expect(unsendable(template({ header: { format: 'LOCATION', text: null, parameters: [], example: null } }))).toBe('location');
  expect(unsendable(template({ other_components: ['CAROUSEL'] }))).toBe('other');
});

test('a draft fits where the body has exactly one blank', () => {
  expect(onlyBodyField(order)).toBeNull();
  expect(onlyBodyField(template({ body: { text: '{{1}}', parameters: [{ name: '1', example: null }] } }))?.key).toBe('body.1');
});

test('templates are found by their words, those of the language of the page first', () => {
  const spanish = template({ language: 'es', body: { text: 'Hola', parameters: [] } });
  expect(findTemplates([order, spanish], 'order update', 'es-ES')).toEqual([spanish, order]);
  expect(findTemplates([order, spanish], 'hola', 'en')).toEqual([spanish]);
});

test('line breaks and tabs become single spaces', () => {
  expect(oneLine(' a\n\tb     c ')).toBe('a b c');
});
