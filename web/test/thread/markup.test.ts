import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countEmoji, type Inline, parseInline, parseMarkup, plainOf } from '../../src/thread/markup';

const text = (value: string): Inline => ({ type: 'text', text: value });
/** Marked as people do with two signs for a part: easier to compare than trees. */
function drawn(inlines: readonly Inline[]): string {
  const signs = { bold: 'b', italic: 'i', strike: 's' };
  return inlines.map((one) => ('children' in one ? `<${signs[one.type]}>${drawn(one.children)}</>` : one.type === 'text' ? one.text : `<${one.type}>${one.text}</>`)).join('');
}
const of = (value: string) => drawn(parseInline(value));

test('the three marks and code are read', () => {
  expect(of('*bold* _italic_ ~gone~ `code` ```mono```')).toBe('<b>bold</> <i>italic</> <s>gone</> <code>code</> <code>mono</>');
});

test('marks may stand within each other, each once', () => {
  expect(of('*_both_*')).toBe('<b><i>both</></>');
  expect(of('*bold _and italic_ here*')).toBe('<b>bold <i>and italic</> here</>');
  expect(of('*a `b*` c*')).toBe('<b>a <code>b*</> c</>');
});

test('a mark in a word, before a space, or without its end is a letter', () => {
  for (const plain of ['2*3*4', 'snake_case_name', '* no *', '*open', 'a * b * c', '**', '*one\ntwo*', '_ _', '~~~~']) expect(of(plain)).toBe(plain);
});

test('what is code is not formatted, and what is a link is not either', () => {
  expect(of('`*no*`')).toBe('<code>*no*</>');
  expect(of('see https://example.com/_a_/b_c_ now')).toBe('see <link>https://example.com/_a_/b_c</>_ now');
  expect(of('*https://example.com*')).toBe('<b><link>https://example.com</></>');
});

test('quotes, lists and code with lines of its own are blocks', () => {
  expect(parseMarkup('Hi\n> quoted\n> more\n- one\n- *two*\n3. three\n4. four\n```\nlet a = 1;\n```\nbye')).toEqual([
    { type: 'paragraph', children: [text('Hi')] },
    { type: 'quote', children: [text('quoted\nmore')] },
    { type: 'list', start: null, items: [[text('one')], [{ type: 'bold', children: [text('two')] }]] },
    { type: 'list', start: 3, items: [[text('three')], [text('four')]] },
    { type: 'code', text: 'let a = 1;' },
    { type: 'paragraph', children: [text('bye')] },
  ]);
});

test('a text in a line has no marks', () => {
  expect(plainOf('*Hello* _there_, `you`\n- one')).toBe('Hello there, you\none');
});

const HOSTILE = fc.array(fc.constantFrom('*', '_', '~', '`', '```', '>', '> ', '- ', '1. ', '\n', ' ', 'a', 'é', '🙂', 'https://', 'www.', 'javascript:', 'x@y.zz', '(', ')', '.', '‮', '+49 151 234567', '//', '@', 'tel:', 'data:text/html,', '\u0000'), { maxLength: 60 }).map((parts) => parts.join(''));

function each(inlines: readonly Inline[], visit: (inline: Inline) => void): void {
  for (const one of inlines) {
    visit(one);
    if ('children' in one) each(one.children, visit);
  }
}

test('no text makes it throw, and none leads to a link that a browser would run', () => {
  fc.assert(
    fc.property(fc.oneof(HOSTILE, fc.string({ unit: 'grapheme', maxLength: 80 })), (value) => {
      for (const block of parseMarkup(value)) {
        const children = block.type === 'code' ? [] : block.type === 'list' ? block.items.flat() : block.children;
        each(children, (one) => {
          if (one.type === 'link') expect(one.href).toMatch(/^(https?:\/\/[^\s]+|mailto:[^\s]+|tel:\+?\d+)$/);
        });
      }
    }),
    { numRuns: 3_000 },
  );
});

test('only marks are taken away: every letter is still there, in its order', () => {
  const letters = (value: string) => value.replace(/[^\p{L}\p{Emoji_Presentation}]/gu, '');
  fc.assert(
    fc.property(HOSTILE, (value) => {
      expect(letters(plainOf(value))).toBe(letters(value));
    }),
    { numRuns: 2_000 },
  );
});

test('a text of 60,000 marks takes no longer than a text', () => {
  for (const piece of ['*a ', '_*~', '`', '```a', '> ', 'a@', 'https://a.b(', '+1 ', '*_~a~_* ']) {
    const begun = performance.now();
    parseMarkup(piece.repeat(60_000 / piece.length));
    expect(performance.now() - begun, piece).toBeLessThan(1_500);
  }
});

test('emoji alone are counted, and nothing else is one', () => {
  expect(countEmoji('👍')).toBe(1);
  expect(countEmoji('👨‍👩‍👧 ❤️ 🇵🇹')).toBe(3);
  for (const none of ['', '👍👍👍👍', '👍 ok', '1', '#', '©', 'ab']) expect(countEmoji(none), none).toBe(0);
});
