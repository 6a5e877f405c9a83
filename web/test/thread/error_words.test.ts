import { expect, test } from 'vitest';
import { failureWords, outboxWords, wantsTemplate } from '../../src/thread/error_words';

// The macro leaves the English text beside its id.
const said = (words: { message?: string | undefined }) => words.message;

test('codes of WhatsApp are told in words, and what is unknown too', () => {
  expect(said(failureWords({ code: 131047, retryable: false }))).toContain('24 hours');
  expect(said(failureWords({ code: 131026, retryable: false }))).toContain('cannot be delivered');
  expect(said(failureWords({ code: 424242, title: 'New', retryable: false }))).toBe('WhatsApp did not deliver this message.');
  expect(said(failureWords(null))).toBe('WhatsApp did not deliver this message.');
});

test('a failure that nobody confirmed warns of sending twice', () => {
  expect(said(failureWords({ code: null, title: 'unconfirmed', retryable: false }))).toContain('not known');
});

test('what never left the browser has words of its own', () => {
  expect(said(outboxWords({ code: 'network', message: '', retryable: true }))).toBe('There is no connection.');
  expect(said(outboxWords({ code: 'invalid_field', message: '', retryable: false }))).toBe('The message could not be sent.');
});

test('only a closed window asks for a template', () => {
  expect(wantsTemplate({ code: 131047 })).toBe(true);
  expect(wantsTemplate({ code: 'customer_service_window_closed' })).toBe(true);
  expect(wantsTemplate({ code: 131026 })).toBe(false);
});
