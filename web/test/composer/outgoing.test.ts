import { describe, expect, test } from 'vitest';
import { messagesOf } from '../../src/composer/outgoing';
import { type Draft, type DraftFile, EMPTY_DRAFT } from '../../src/store/drafts';

function file(kind: DraftFile['kind'], part: Partial<DraftFile> = {}): DraftFile {
  return { id: kind, file: new Blob(['x']), name: `a.${kind}`, kind, ...part };
}

function requests(draft: Partial<Draft>, previewUrl = true) {
  return messagesOf({ ...EMPTY_DRAFT, ...draft }, previewUrl).map(({ request }) => request);
}

describe('a text', () => {
  test('goes without the space around it; nothing but space does not go', () => {
    expect(requests({ text: ' Hello\n' })).toEqual([{ message_type: 'text', message: 'Hello' }]);
    expect(requests({ text: ' \n' })).toEqual([]);
  });

  test('with a link says whether that is shown', () => {
    expect(requests({ text: 'https://example.com' }, false)).toEqual([{ message_type: 'text', message: 'https://example.com', preview_url: false }]);
  });
});

describe('files', () => {
  test('go one message each, the text below the first, captions of their own below the others', () => {
    expect(requests({ text: 'Here', files: [file('image'), file('document', { caption: ' Offer ' })] })).toEqual([
      { message_type: 'image', image: { caption: 'Here' } },
      { message_type: 'document', document: { filename: 'a.document', caption: 'Offer' } },
    ]);
  });

  test('that take no caption leave the text a message of its own, after them', () => {
    expect(requests({ text: 'Here', files: [file('audio')] })).toEqual([
      { message_type: 'audio', audio: {} },
      { message_type: 'text', message: 'Here' },
    ]);
  });

  test('have no caption of more than 1,024 characters', () => {
    expect(requests({ text: 'x'.repeat(1025), files: [file('image')] }).map(({ message_type: type }) => type)).toEqual(['image', 'text']);
  });

  test('that were uploaded before go by their id, with nothing to upload', () => {
    const [message] = messagesOf({ ...EMPTY_DRAFT, files: [file('image', { uploaded: { mediaId: 'm', mimeType: 'image/png', size: 1 } })] }, true);
    expect(message).toEqual({ request: { message_type: 'image', image: { media_id: 'm' } }, file: null });
  });

  test('that were recorded are voice notes where they are Ogg', () => {
    const ogg = file('audio', { file: new Blob(['x'], { type: 'audio/ogg; codecs=opus' }), peaks: [1], durationMs: 9 });
    const aac = file('audio', { file: new Blob(['x'], { type: 'audio/mp4' }), peaks: [1] });
    expect(requests({ files: [ogg, aac] })).toEqual([
      { message_type: 'audio', audio: { voice: true } },
      { message_type: 'audio', audio: {} },
    ]);
  });
});

test('an answer quotes with its first message only', () => {
  const replyTo = { id: 1, message_id: null, wa_message_id: 'wamid.1', sender: 'customer', message_type: 'text', content: 'Hi', media_caption: null };
  expect(requests({ text: 'Here', files: [file('audio')], replyTo })).toEqual([
    { message_type: 'audio', audio: {}, reply_to: 'wamid.1' },
    { message_type: 'text', message: 'Here' },
  ]);
});
