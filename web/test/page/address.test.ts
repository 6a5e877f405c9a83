// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest';
import { currentAddress, go, parseAddress, searchOf } from '../../src/page/address';

beforeEach(() => history.replaceState(null, '', '/'));

test('an address is read back as it was written', () => {
  for (const address of [{ conversationId: null, phoneNumberId: null }, { conversationId: 12, phoneNumberId: null }, { conversationId: 3, phoneNumberId: '200000000000001' }]) {
    expect(parseAddress(searchOf(address, ''))).toEqual(address);
  }
});

test('what is no id is no conversation', () => {
  for (const text of ['', '0', '-1', '1.5', '1e3', 'abc', '9'.repeat(16)]) expect(parseAddress(`?conversation=${text}`).conversationId).toBeNull();
  expect(parseAddress('?number=%3Cscript%3E').phoneNumberId).toBeNull();
});

test('parameters of others stay', () => {
  expect(searchOf({ conversationId: 1, phoneNumberId: null }, '?a=b&conversation=2&number=3')).toBe('?a=b&conversation=1');
});

test('opening a conversation is a step in the history, choosing a number is none', () => {
  const before = history.length;
  go({ phoneNumberId: '200000000000001' });
  expect(history.length).toBe(before);
  go({ conversationId: 7 });
  expect(history.length).toBe(before + 1);
  expect(currentAddress()).toEqual({ conversationId: 7, phoneNumberId: '200000000000001' });
  go({ conversationId: 7 });
  expect(history.length).toBe(before + 1);
});
