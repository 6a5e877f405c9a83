import { describe, expect, it } from 'vitest';
import { paramsOf } from '../../src/list/filters';
import { withKept } from '../../src/list/kept';
import { conversation } from './conversations';

const unread = paramsOf('unread', 'recent', null);
const [a, b, c] = [1, 2, 3].map((id) => conversation({ id, unread_count: 1 })) as [ReturnType<typeof conversation>, ReturnType<typeof conversation>, ReturnType<typeof conversation>];

describe('the open conversation in a filtered list', () => {
  it('stays where it was when it is read', () => {
    const read = { ...b, unread_count: 0 };
    expect(withKept([a, c], read, { id: 2, index: 1 }, unread)).toEqual([a, read, c]);
  });

  it('stays at the end of a list that has become shorter', () => {
    expect(withKept([a], b, { id: 2, index: 7 }, unread)).toEqual([a, b]);
  });

  it('is not there twice', () => {
    const items = [a, b];
    expect(withKept(items, b, { id: 2, index: 0 }, unread)).toBe(items);
  });

  it('does not come into a list that it was never in', () => {
    const items = [a];
    expect(withKept(items, b, null, unread)).toBe(items);
    expect(withKept(items, b, { id: 3, index: 0 }, unread)).toBe(items);
  });

  it('goes when it is archived, and when another number is shown', () => {
    const items = [a];
    expect(withKept(items, { ...b, status: 'archived' }, { id: 2, index: 1 }, unread)).toBe(items);
    expect(withKept(items, b, { id: 2, index: 1 }, paramsOf('unread', 'recent', '201'))).toBe(items);
  });
});
