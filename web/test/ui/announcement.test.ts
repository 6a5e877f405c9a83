import { expect, it } from 'vitest';
import { otherwise } from '../../src/ui/announcement';

it('says the same twice in a row as often', () => {
  const said = ['Sent'];
  for (const text of ['Sent', 'Sent', '', 'Copied']) said.push(otherwise(text, said.at(-1) ?? ''));
  expect(said.every((text, index) => index === 0 || text !== said[index - 1])).toBe(true);
  expect(said.map((text) => text.trim())).toEqual(['Sent', 'Sent', 'Sent', '', 'Copied']);
});
