import { describe, expect, it } from 'vitest';
import { shiftOf } from '../../src/list/anchor';

const before = new Map([
  ['a', 100],
  ['b', 176],
  ['c', 252],
]);
const after = (tops: Record<string, number>) => (key: string) => tops[key];

describe('what is looked at, when rows move', () => {
  it('is followed when rows come above it', () => {
    expect(shiftOf(before, after({ a: 176, b: 252, c: 328 }))).toBe(76);
  });

  it('is followed although one of the rows goes to the top', () => {
    expect(shiftOf(before, after({ a: 176, b: 252, c: 0 }))).toBe(76);
  });

  it('stays when rows come and go below it', () => {
    expect(shiftOf(before, after({ a: 100, b: 176 }))).toBe(0);
  });

  it('stays when nothing of it is left', () => {
    expect(shiftOf(before, after({}))).toBe(0);
    expect(shiftOf(new Map(), after({ a: 5 }))).toBe(0);
  });
});
