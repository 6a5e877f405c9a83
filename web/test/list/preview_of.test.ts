import { describe, expect, it } from 'vitest';
import { oneLine, previewOf } from '../../src/list/preview_of';
import { conversation } from './conversations';

const preview = (last_message_type: string | null, last_message: string | null) => previewOf(conversation({ last_message_type, last_message }));

describe('the preview of a last message', () => {
  it('has its words on one line', () => {
    expect(preview('text', 'One\n\n two\tthree ')).toEqual({ kind: 'text', text: 'One two three' });
    expect(preview('template', 'Head\n\nBody')).toEqual({ kind: 'template', text: 'Head Body' });
  });

  it('is the caption of a file, where it has one', () => {
    expect(preview('image', 'My plant')).toEqual({ kind: 'image', text: 'My plant' });
    expect(preview('image', null)).toEqual({ kind: 'image', text: '' });
    expect(preview('sticker', null)).toEqual({ kind: 'sticker', text: '' });
  });

  it('is a deleted message where one that always has words has none', () => {
    for (const kind of ['text', 'location', 'contacts', 'interactive', 'template', 'button', 'order']) expect(preview(kind, null).kind).toBe('deleted');
    expect(preview(null, null).kind).toBe('deleted');
  });

  it('names a place, and leaves its numbers out', () => {
    expect(preview('location', 'Rossio, Lisbon')).toEqual({ kind: 'location', text: 'Rossio, Lisbon' });
    expect(preview('location', '38.71,-9.14')).toEqual({ kind: 'location', text: '' });
  });

  it('shows the words of a kind that is not known yet, and says so where it has none', () => {
    expect(preview('hologram', 'Hi')).toEqual({ kind: 'text', text: 'Hi' });
    expect(preview('hologram', null).kind).toBe('unsupported');
  });

  it('says that there are no messages yet', () => {
    expect(previewOf(conversation({ last_message: null, last_message_type: null, last_message_time: null })).kind).toBe('none');
  });
});

describe('one line', () => {
  it('is cut where it is very long', () => {
    expect(oneLine('a'.repeat(10_000))).toHaveLength(241);
  });
});
