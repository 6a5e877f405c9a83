/**
 * The request that a message came from, from the message itself: for sending one again that another browser sent. The API compares what is
 * asked for with what was, so where a message does not tell which of two forms it had, both are given; the wrong one is refused, and sends
 * nothing.
 */
import type { Message } from '../api/types';
import type { Outgoing } from './outbox';

/** The forms that it may have had, the likeliest first; none where it cannot be known, such as that of an uploaded file. */
export function rebuild(message: Message): readonly Outgoing[] {
  const { reply_to: quoted } = message;
  const bodies = bodiesOf(message);
  const answered = [quoted?.message_id, quoted?.wa_message_id].filter((id) => typeof id === 'string');
  if (!quoted) return bodies;
  return answered.flatMap((id) => bodies.map((body) => ({ ...body, reply_to: id })));
}

function bodiesOf({ message_type: type, content, media, media_caption: caption, metadata }: Message): readonly Outgoing[] {
  const known = (metadata ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'text':
      return content ? [{ message_type: 'text', text: { body: content } }, { message_type: 'text', text: { body: content, preview_url: true } }] : [];
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker': {
      const link = (known[type] as { link?: unknown } | undefined)?.link;
      if (media || typeof link !== 'string') return [];
      const object = { link, ...(caption && { caption }) };
      return type === 'audio' ? [{ message_type: type, [type]: object }, { message_type: type, [type]: { ...object, voice: true } }] : [{ message_type: type, [type]: object }];
    }
    case 'template': {
      const { rendered: _, ...template } = (known['template'] ?? {}) as Record<string, unknown>;
      return 'name' in template ? [{ message_type: 'template', template: template as unknown as NonNullable<Outgoing['template']> }] : [];
    }
    case 'location':
    case 'contacts':
    case 'interactive':
      return known[type] ? [{ message_type: type, [type]: known[type] }] : [];
    default:
      return [];
  }
}
