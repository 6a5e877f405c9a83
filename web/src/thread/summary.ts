/** A message in a few words: for its name, its quote, and what is said of new ones. */
import type { I18n, MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import type { Message } from '../api/types';
import { plainOf } from './markup';

type Summarised = Pick<Message, 'message_type' | 'content'> & { readonly media_caption?: string | null; readonly deleted_at?: string | null; readonly media?: Message['media'] };

const TYPES: Readonly<Record<string, MessageDescriptor>> = {
  image: msg`Photo`,
  video: msg`Video`,
  audio: msg`Audio`,
  document: msg`Document`,
  sticker: msg`Sticker`,
  location: msg`Location`,
  contacts: msg`Contact`,
  order: msg`Order`,
  interactive: msg`Interactive message`,
  template: msg`Template`,
};

const LONGEST = 160;

export function summaryOf(message: Summarised, i18n: I18n): string {
  if (message.deleted_at) return i18n._(msg`Deleted message`);
  const text = message.content || message.media_caption;
  const type = message.media?.voice ? msg`Voice message` : TYPES[message.message_type ?? ''];
  if (text) {
    const plain = plainOf(text.slice(0, LONGEST * 2));
    const short = plain.length > LONGEST ? `${plain.slice(0, LONGEST).trimEnd()}…` : plain;
    return message.media_caption && type ? i18n._(msg`${i18n._(type)}: ${short}`) : short;
  }
  if (message.media?.filename) return message.media.filename;
  return i18n._(type ?? msg`Message that cannot be shown`);
}
