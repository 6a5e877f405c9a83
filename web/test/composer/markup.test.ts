import { describe, expect, test } from 'vitest';
import { applyMark, hasLink, type Mark } from '../../src/composer/markup';

/** Applies a mark to a text in which `[` and `]` stand around the selection; gives the new one in the same way. */
function marked(text: string, mark: Mark): string {
  const start = text.indexOf('[');
  const end = text.indexOf(']') - 1;
  const plain = text.replace('[', '').replace(']', '');
  const edit = applyMark(plain, start, end, mark);
  const next = plain.slice(0, edit.start) + edit.text + plain.slice(edit.end);
  return `${next.slice(0, edit.selectionStart)}[${next.slice(edit.selectionStart, edit.selectionEnd)}]${next.slice(edit.selectionEnd)}`;
}

describe('marks around words', () => {
  test('are put around the selection, which stays selected', () => {
    expect(marked('see [Friday] then', 'bold')).toBe('see *[Friday]* then');
    expect(marked('[a]', 'italic')).toBe('_[a]_');
    expect(marked('[a]', 'strike')).toBe('~[a]~');
    expect(marked('[a]', 'code')).toBe('`[a]`');
  });

  test('leave the spaces at both ends outside, where WhatsApp would not see the mark', () => {
    expect(marked('see[ Friday ]then', 'bold')).toBe('see *[Friday]* then');
  });

  test('are taken away where they are, inside the selection or around it', () => {
    expect(marked('see *[Friday]* then', 'bold')).toBe('see [Friday] then');
    expect(marked('see [*Friday*] then', 'bold')).toBe('see [Friday] then');
  });

  test('stand around the cursor where nothing is selected', () => {
    expect(marked('a []', 'bold')).toBe('a *[]*');
  });

  test('are put around each line, because they end with it; a block takes all', () => {
    expect(marked('[one\n\n two ]', 'bold')).toBe('[*one*\n\n *two*] ');
    expect(marked('[one\ntwo]', 'block')).toBe('```[one\ntwo]```');
  });
});

describe('marks before lines', () => {
  test('are put before each line that the selection touches', () => {
    expect(marked('a\nb[b\nc]c\nd', 'bullets')).toBe('a\n[- bb\n- cc]\nd');
    expect(marked('[b\nc]', 'numbers')).toBe('[1. b\n2. c]');
    expect(marked('[b\nc]', 'quote')).toBe('[> b\n> c]');
  });

  test('are taken away where every line has one', () => {
    expect(marked('[1. b\n2. c]', 'numbers')).toBe('[b\nc]');
    expect(marked('[> b\nc]', 'quote')).toBe('[> > b\n> c]');
  });

  test('keep the cursor in its place', () => {
    expect(marked('one\ntw[]o', 'quote')).toBe('one\n> tw[]o');
  });
});

test('a link is one that WhatsApp can preview', () => {
  expect(hasLink('see https://example.com/a')).toBe(true);
  expect(hasLink('see example.com')).toBe(false);
  expect(hasLink('https://')).toBe(false);
});
