import { expect, test } from 'vitest';
import { parseInline } from '../../src/thread/markup';
import { safeHref } from '../../src/thread/links';

const linksOf = (text: string) => parseInline(text).flatMap((one) => (one.type === 'link' ? [one] : []));
const hrefsOf = (text: string) => linksOf(text).map(({ href }) => href);

test('web pages, addresses and numbers are links', () => {
  expect(hrefsOf('http://a.example/x www.b.example c@d.example tel:+123456 +49 1512 3456789')).toEqual([
    'http://a.example/x',
    'https://www.b.example/',
    'mailto:c@d.example',
    'tel:+123456',
    'tel:+4915123456789',
  ]);
});

test('what ends the sentence does not belong to the link, a bracket that it opens does', () => {
  expect(linksOf('(see https://a.example/b).').map(({ text }) => text)).toEqual(['https://a.example/b']);
  expect(linksOf('https://a.example/b_(c)!').map(({ text }) => text)).toEqual(['https://a.example/b_(c)']);
});

test('nothing that a browser runs is a link', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'https://', 'http:///x', 'vbscript:x', 'file:///etc/passwd', 'https://localhost']) expect(hrefsOf(text)).toEqual([]);
});

test('a host in other letters, or behind a name, is shown as it truly is', () => {
  expect(linksOf('https://pаypal.com/login')[0]?.host).toBe('xn--pypal-4ve.com');
  expect(linksOf('https://paypal.com@evil.example/')[0]?.host).toBe('evil.example');
  expect(linksOf('https://paypal.com/login')[0]?.host).toBeNull();
});

test('a direction of writing that would turn the link around is not shown', () => {
  expect(linksOf('https://example.com/\u202Egnp.exe')[0]?.text).toBe('https://example.com/gnp.exe');
});

test('an address from elsewhere is used only where it is safe', () => {
  expect(safeHref('https://a.example/')).toBe('https://a.example/');
  for (const address of ['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'data:text/html,x', '/x', '', null, 3, {}]) expect(safeHref(address)).toBeUndefined();
});

test('a telephone link without a digit is no link', () => {
  expect(hrefsOf('tel:).( and tel:(+1).2')).toEqual([]);
  expect(hrefsOf('tel:(1).2')).toEqual(['tel:12']);
});
