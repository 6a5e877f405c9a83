/** What is not sent yet, in the form of a message, so that one way of drawing serves both and nothing moves when it is sent. */
import type { Message, ReplyTo } from '../api/types';
import type { OutboxItem, Quoted } from '../store/outbox';

const drawn = new WeakMap<OutboxItem, Message>();

/** The same message for the same item. */
export function messageOf(item: OutboxItem): Message {
  const known = drawn.get(item);
  if (known) return known;
  const { request, file, quoted } = item;
  const type = request.message_type ?? 'text';
  const own = (request as Readonly<Record<string, unknown>>)[type];
  const caption = typeof own === 'object' && own !== null && 'caption' in own && typeof own.caption === 'string' ? own.caption : null;
  const message: Message = {
    // No server has given it one; its key is its `message_id`.
    id: 0,
    message_id: item.messageId,
    conversation_id: item.conversationId,
    message_type: type,
    content: type === 'text' ? (request.message ?? null) : contentOf(type, own),
    media_caption: caption,
    media: file && {
      state: 'stored',
      mime_type: file.file.type,
      filename: file.name,
      size: file.file.size,
      width: file.width ?? null,
      height: file.height ?? null,
      duration_ms: file.durationMs ?? null,
      peaks: file.peaks ? [...file.peaks] : null,
      voice: file.peaks !== undefined,
    },
    metadata: own === undefined ? null : { [type]: own },
    sender: 'user',
    status: item.state === 'failed' ? 'failed' : 'pending',
    timestamp: item.createdAt,
    reactions: [],
    reply_to: request.reply_to ? quoteOf(request.reply_to, quoted) : null,
  };
  drawn.set(item, message);
  return message;
}

function quoteOf(target: string, quoted: Quoted | null): ReplyTo {
  if (!quoted) return { message_id: target };
  const { message_id = null, wa_message_id = null, sender = null, message_type = null, content, media_caption } = quoted;
  return { message_id, wa_message_id, sender, message_type, content: content ?? media_caption ?? null };
}

function contentOf(type: string, own: unknown): string | null {
  if (typeof own !== 'object' || own === null) return null;
  if (type === 'location') return 'name' in own && typeof own.name === 'string' ? own.name : null;
  if (type === 'interactive') return 'body' in own && typeof own.body === 'object' && own.body && 'text' in own.body && typeof own.body.text === 'string' ? own.body.text : null;
  if (type === 'template') return 'name' in own && typeof own.name === 'string' ? own.name : null;
  return null;
}
