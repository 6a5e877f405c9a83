import { describe, expect, test } from 'vitest';
import { cleanName, isAnimatedWebp, kindOf, sniff } from '../../src/composer/files/sniff';
import { otherWays, sendAs } from '../../src/composer/files/prepare';
import { cut, isLink, lengthOf } from '../../src/composer/limits';
import { changesIn, windowState } from '../../src/composer/window';

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

test('lengths are of code points, as WhatsApp counts', () => {
  expect(lengthOf('añ👍')).toBe(3);
  expect(cut('a👍b', 2)).toBe('a👍');
});

test('a link is https and has no space', () => {
  expect(isLink('https://example.com/ä')).toBe(true);
  expect(isLink('http://example.com')).toBe(false);
  expect(isLink('https://a b')).toBe(false);
  expect(isLink('example.com')).toBe(false);
});

describe('what a file is', () => {
  test('its bytes say, whatever it is called', () => {
    expect(sniff(bytes('\x89PNG\r\n\x1a\n'), 'image/jpeg', 'a.jpg')).toBe('image/png');
    expect(sniff(bytes('\xff\xd8\xff\xe0'), '', 'a')).toBe('image/jpeg');
    expect(sniff(bytes('\0\0\0\x18ftypheic'), '', 'a.jpg')).toBe('image/heic');
    expect(sniff(bytes('\0\0\0\x18ftypisom'), 'video/mp4', 'a.mp4')).toBe('video/mp4');
    expect(sniff(bytes('\0\0\0\x18ftypqt  '), 'video/mp4', 'a.mov')).toBe('video/quicktime');
    expect(sniff(bytes('\0\0\0\x18ftypM4A '), '', 'a.m4a')).toBe('audio/mp4');
  });

  test('Ogg without Opus is no audio for WhatsApp', () => {
    expect(kindOf(sniff(bytes(`OggS${'\0'.repeat(24)}OpusHead`), 'audio/ogg', 'a.ogg'))).toBe('audio');
    expect(kindOf(sniff(bytes(`OggS${'\0'.repeat(24)}\x01vorbis`), 'audio/ogg', 'a.ogg'))).toBe('document');
  });

  test('one that is not what it says goes as plain bytes', () => {
    expect(sniff(bytes('Hello'), 'image/png', 'a.png')).toBe('application/octet-stream');
    expect(sniff(bytes('Hello'), 'application/pdf', 'a.pdf')).toBe('application/octet-stream');
    expect(sniff(bytes('\xef\xbb\xbf%PDF-1.7'), 'application/pdf', 'a.pdf')).toBe('application/pdf');
  });

  test('the name says it where nothing else does', () => {
    expect(sniff(bytes('ID3'), '', 'song.mp3')).toBe('audio/mpeg');
    expect(sniff(bytes('a;b'), '', 'table.CSV')).toBe('text/csv');
  });

  test('a sticker that moves is known by its flag', () => {
    const still = bytes(`RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0`);
    const moving = bytes(`RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02`);
    expect([isAnimatedWebp(still), isAnimatedWebp(moving)]).toEqual([false, true]);
  });
});

test('names keep their ending where they are cut, and lose control characters', () => {
  expect(cleanName(`${'x'.repeat(300)}.docx`, 240)).toMatch(/^x{235}\.docx$/);
  expect(cleanName('a\u0000b.pdf', 240)).toBe('ab.pdf');
  expect(cleanName(' ', 240)).toBe('file');
});

test('a photo that goes as a document can be a photo again', () => {
  const original = { file: new Blob(['heic']), name: 'a.heic', kind: 'document' as const };
  const photo = { id: '1', file: new Blob(['jpeg']), name: 'a.jpg', kind: 'image' as const, width: 4, height: 3, caption: 'Hi', original };
  expect(otherWays(photo)).toEqual(['document']);
  const document = sendAs(photo, 'document');
  expect(document).toMatchObject({ id: '1', name: 'a.heic', kind: 'document', caption: 'Hi' });
  expect(otherWays(document)).toEqual(['own']);
  expect(sendAs(document, 'own')).toEqual(photo);
});

describe('the window', () => {
  const now = Date.parse('2026-07-01T12:00:00Z');
  const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();

  test('is open, closing within four hours, or closed', () => {
    expect(windowState(at(241), now)).toEqual({ state: 'open' });
    expect(windowState(at(240), now)).toEqual({ state: 'closing', leftMs: 240 * 60_000 });
    expect(windowState(at(0), now)).toEqual({ state: 'closed', closedAt: at(0) });
    expect(windowState(null, now)).toEqual({ state: 'closed', closedAt: null });
  });

  test('is looked at again when it begins to close, each minute then, and when it closed never', () => {
    expect(changesIn(at(300), now)).toBe(60 * 60_000);
    expect(changesIn(at(10.5), now)).toBe(30_000);
    expect(changesIn(at(10), now)).toBe(60_000);
    expect(changesIn(at(-1), now)).toBeNull();
    expect(changesIn(null, now)).toBeNull();
  });
});
