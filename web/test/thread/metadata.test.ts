import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adOf, answersOf, cardsOf, moneyOf, orderLinesOf, placeOf } from '../../src/thread/metadata';

test('whatever stands in the metadata, no reader throws', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, maxDepth: 4 }), (value) => {
      for (const read of [adOf, cardsOf, orderLinesOf, placeOf]) read(value);
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => void answersOf(value)));
});

test('a place is on the earth', () => {
  expect(placeOf({ latitude: '52.5', longitude: 13.3, name: ' ' })).toEqual({ latitude: 52.5, longitude: 13.3, name: undefined, address: undefined });
  for (const nowhere of [{ latitude: 91, longitude: 0 }, { latitude: 0 }, { latitude: 'x', longitude: 1 }, null]) expect(placeOf(nowhere)).toBeNull();
});

test('a price is in its currency, or beside what is none', () => {
  expect(moneyOf(12.5, 'EUR', 'en')).toBe('€12.50');
  expect(moneyOf(12.5, 'stars', 'en')).toBe('12.5 stars');
  expect(moneyOf(12.5, undefined, 'en')).toBe('12.5');
});

test('a form’s answers have readable names, and not its token', () => {
  expect(answersOf({ flow_token: 'secret', screen_0_First_name_0: 'Ada', sizes: ['S', 'M'], nested: { a: 1 } })).toEqual([
    { name: 'First name 0', value: 'Ada' },
    { name: 'sizes', value: 'S, M' },
    { name: 'nested', value: '{"a":1}' },
  ]);
});
