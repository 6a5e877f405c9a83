import { describe, expect, it } from 'vitest';
import { inTurn } from '../../src/list/in_turn';

describe('the same for many', () => {
  it('tells with which it was done and with which it failed', async () => {
    const { done, failed } = await inTurn([1, 2, 3, 4, 5], 2, (item) => (item % 2 === 0 ? Promise.reject(new Error('no')) : Promise.resolve()));
    expect(done.sort()).toEqual([1, 3, 5]);
    expect(failed.sort()).toEqual([2, 4]);
  });

  it('does no more than so many at once', async () => {
    let [under, most] = [0, 0];
    await inTurn([...Array(20).keys()], 4, async () => {
      most = Math.max(most, (under += 1));
      await Promise.resolve();
      under -= 1;
    });
    expect(most).toBe(4);
  });

  it('is done at once with none', async () => {
    expect(await inTurn([], 4, () => Promise.reject(new Error('no')))).toEqual({ done: [], failed: [] });
  });
});
