import { describe, expect, it } from 'vitest';
import type { Media, Message } from '../../src/api/types';
import { filesOf, linkOf } from '../../src/contact/files_of';
import { referralOf } from '../../src/contact/referral_of';

const stored: Media = { state: 'stored' };
const message = (given: Partial<Message>): Message => ({ id: 1, conversation_id: 1, reactions: [], ...given });

describe('the ad that a customer came from', () => {
  it('is that of the first message that tells one', () => {
    const ad = { source_type: 'ad', source_url: 'https://fb.me/x', headline: 'Cacti', body: 'Half price' };
    expect(referralOf([message({}), message({ referral: ad }), message({ referral: { headline: 'Later' } })])).toEqual({ headline: 'Cacti', body: 'Half price', url: 'https://fb.me/x', isAd: true });
  });

  it('has no address that would run something', () => {
    expect(referralOf([message({ referral: { source_url: 'javascript:alert(1)' } })])?.url).toBeNull();
    expect(referralOf([message({ referral: { source_url: 'not an address' } })])?.url).toBeNull();
    expect(referralOf([message({ referral: { source_url: 7, headline: {} } })])).toEqual({ headline: null, body: null, url: null, isAd: true });
  });

  it('is none where no message has one', () => {
    expect(referralOf(undefined)).toBeNull();
    expect(referralOf([message({ referral: null }), message({ referral: 'x' })])).toBeNull();
  });
});

describe('the files of a conversation', () => {
  it('are the newest first, pictures and documents apart', () => {
    const files = filesOf([
      message({ id: 1, message_type: 'image', media: stored }),
      message({ id: 2, message_type: 'document', media: stored }),
      message({ id: 3, message_type: 'text' }),
      message({ id: 4, message_type: 'video', media: stored }),
    ]);
    expect(files.pictures.map(({ id }) => id)).toEqual([4, 1]);
    expect(files.documents.map(({ id }) => id)).toEqual([2]);
  });

  it('are those that are there', () => {
    const { pictures } = filesOf([
      message({ message_type: 'image', media: { state: 'pending' } }),
      message({ message_type: 'image', media: { state: 'failed' } }),
      message({ message_type: 'image', media: stored, deleted_at: '2026-07-01T12:00:00Z' }),
      message({ message_type: 'image' }),
    ]);
    expect(pictures).toEqual([]);
  });

  it('are also those that were sent by link, if it is one of the web', () => {
    expect(linkOf({ document: { link: 'https://example.com/a.pdf', filename: 'a.pdf' } })).toEqual({ url: 'https://example.com/a.pdf', filename: 'a.pdf' });
    expect(linkOf({ document: { link: 'javascript:alert(1)' } })).toBeNull();
    expect(linkOf(null)).toBeNull();
    expect(filesOf([message({ message_type: 'image', metadata: { image: { link: 'https://example.com/a.jpg' } } })]).pictures).toHaveLength(1);
  });
});
