import { expect, test } from 'vitest';
import type { QuickReply } from '../../src/api/types';
import { blanksIn, fillBlanks, matchQuickReplies, slashAt } from '../../src/composer/slash';

function quickReply(id: number, shortcut: string, content: string): QuickReply {
  return { id, shortcut, content, media: null, variables: [], rendered: content, missing: [], created_at: '', updated_at: '' };
}

test('a slash at the start of a word looks for a quick reply, up to the cursor', () => {
  expect(slashAt('/ho', 3)).toEqual({ start: 0, query: 'ho' });
  expect(slashAt('Hello /', 7)).toEqual({ start: 6, query: '' });
  expect(slashAt('a\n/ünï and', 6)).toEqual({ start: 2, query: 'ünï' });
  expect(slashAt('/hours', 3)).toEqual({ start: 0, query: 'ho' });
});

test('a slash within a word, in an address, or before a space looks for nothing', () => {
  expect(slashAt('1/2', 3)).toBeNull();
  expect(slashAt('https://a', 9)).toBeNull();
  expect(slashAt('/hours and', 10)).toBeNull();
  expect(slashAt('//', 2)).toBeNull();
});

test('those whose shortcut begins so come first, then those that have it within, then contents', () => {
  const all = [quickReply(1, 'bye', 'See you in two hours'), quickReply(2, 'open-hours', 'From 9'), quickReply(3, 'Hours', 'From 9'), quickReply(4, 'other', 'Nothing')];
  expect(matchQuickReplies(all, 'hours').map(({ id }) => id)).toEqual([3, 2, 1]);
  expect(matchQuickReplies(all, '')).toHaveLength(4);
});

test('case and accents do not matter', () => {
  expect(matchQuickReplies([quickReply(1, 'Entréga', 'x')], 'entreg')).toHaveLength(1);
});

test('blanks are names between double braces, as the API has them', () => {
  expect(blanksIn('Hi {{ name }}, {{}} {{a\nb}} {{day}}')).toEqual([
    { start: 3, end: 13, name: 'name' },
    { start: 28, end: 35, name: 'day' },
  ]);
});

test('a blank without a value stays as it is', () => {
  expect(fillBlanks('{{a}} and {{ b }}', (name) => (name === 'b' ? 'B' : null))).toBe('{{a}} and B');
});
