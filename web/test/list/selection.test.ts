import { describe, expect, it } from 'vitest';
import { extend, NOTHING_SELECTED, toggle, within } from '../../src/list/selection';

const order = [10, 20, 30, 40, 50];
const ids = (selection: { ids: ReadonlySet<number> }) => [...selection.ids].sort((a, b) => a - b);

describe('a selection', () => {
  it('takes one in, and out again', () => {
    const one = toggle(NOTHING_SELECTED, 20);
    expect(ids(one)).toEqual([20]);
    expect(ids(toggle(one, 20))).toEqual([]);
    expect(ids(NOTHING_SELECTED)).toEqual([]);
  });

  it('reaches from the last one to another, downwards and upwards, and keeps what was there', () => {
    expect(ids(extend(toggle(NOTHING_SELECTED, 20), 40, order))).toEqual([20, 30, 40]);
    expect(ids(extend(toggle(toggle(NOTHING_SELECTED, 50), 30), 10, order))).toEqual([10, 20, 30, 50]);
  });

  it('reaches from the same one again', () => {
    expect(ids(extend(extend(toggle(NOTHING_SELECTED, 20), 30, order), 40, order))).toEqual([20, 30, 40]);
  });

  it('is one row where there is nothing to reach from', () => {
    expect(ids(extend(NOTHING_SELECTED, 40, order))).toEqual([40]);
    expect(ids(extend(toggle(NOTHING_SELECTED, 99), 40, order))).toEqual([40, 99]);
  });

  it('loses what is not in the list any more', () => {
    const some = extend(toggle(NOTHING_SELECTED, 20), 40, order);
    expect(within(some, order)).toBe(some);
    expect(within(some, [30, 40])).toEqual({ ids: new Set([30, 40]), anchor: null });
  });
});
