/** Heights as a browser has them, so far as they can be told without one: rows that come above are in their place at once. */
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/api/types';
import { estimateOf } from '../../src/thread/estimate';
import { messageOf } from '../store/model';

const WIDTH = 700;
const heightOf = (more: Partial<Message>, isLast = false, width = WIDTH) => {
  const message = messageOf(1, { message_type: 'text', ...more });
  return estimateOf({ kind: 'message', key: '1', message, isLast }, width);
};

describe('the height of a row', () => {
  it('of one line is that of the line and its bubble, and more before another sender', () => {
    expect([heightOf({ content: 'Yes.' }), heightOf({ content: 'Yes.' }, true)]).toEqual([34, 44]);
  });

  it('grows by each line, written or broken', () => {
    expect(heightOf({ content: 'Two\nlines' })).toBe(54);
    const long = 'A longer line, as people write them when they explain. '.repeat(4);
    expect(heightOf({ content: long })).toBeGreaterThan(heightOf({ content: 'Two\nlines' }));
    expect(heightOf({ content: long }, false, 320)).toBeGreaterThan(heightOf({ content: long }));
  });

  it('has a line for the time where the last one leaves it no room', () => {
    const full = 'x'.repeat(79);
    expect(heightOf({ content: full }) - heightOf({ content: 'Yes.' })).toBe(14);
  });

  it('follows the width, and the place among the others', () => {
    const message = messageOf(1, { message_type: 'text', content: 'word '.repeat(60) });
    const row = (isLast: boolean) => ({ kind: 'message', key: '1', message, isLast }) as const;
    const first = estimateOf(row(false), WIDTH);
    expect(estimateOf(row(true), WIDTH)).toBe(first + 10);
    expect(estimateOf(row(false), 320)).toBeGreaterThan(first);
    expect(estimateOf(row(false), WIDTH)).toBe(first);
  });

  it('of a picture is known before it is there', () => {
    const picture = (height: number): Partial<Message> => ({ message_type: 'image', content: null, media: { state: 'stored', width: 800, height } });
    expect(heightOf(picture(800))).toBeGreaterThan(heightOf(picture(400)) + 50);
  });
});
