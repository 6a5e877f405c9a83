/** How high a row may be, before it is drawn and measured: the better this is, the less the scroll bar moves. */
import type { Message } from '../api/types';
import { boxOf } from './content/visual';
import { messageOf } from './outgoing';
import type { Row } from './rows';

const LINE = 20;
/** A bubble's sides, its space to the row's edges, and the widest that its text becomes. */
const BUBBLE = 20;
const WIDEST = 576 - BUBBLE;
const SHARE = 0.86;
/** The time beside a last line, with ticks where it is our own, and their distance. */
const TIME = 40;
const OWN_TIME = 60;

/** `width` is the list's; 0 where it is not known yet. */
export function estimateOf(row: Row | undefined, width: number): number {
  if (!row) return 60;
  if (row.kind === 'day' || row.kind === 'unread') return 44;
  const message = row.kind === 'message' ? row.message : messageOf(row.item);
  const known = made.get(message);
  if (known && known.width === width && known.isLast === row.isLast) return known.height;
  const height = heightOf(message, row.isLast, width);
  made.set(message, { width, isLast: row.isLast, height });
  return height;
}

/** Each page that comes asks for all rows again. */
const made = new WeakMap<Message, { readonly width: number; readonly isLast: boolean; readonly height: number }>();

function heightOf(message: Message, isLast: boolean, width: number): number {
  const text = message.message_type === 'contacts' || message.message_type === 'location' ? '' : (message.content ?? message.media_caption ?? '');
  const frame = (isLast ? 12 : 2) + 12 + (message.reply_to ? 54 : 0) + (message.reactions.length > 0 ? 18 : 0) + (message.status === 'failed' ? 66 : 0);
  const isText = message.message_type === 'text' && !message.referral;
  const lines = text === '' ? 0 : linesOf(text, Math.min(WIDEST, (width || 600) * SHARE - BUBBLE), isText ? (message.sender === 'user' ? OWN_TIME : TIME) : 0);
  return frame + lines + (isText ? 0 : 14 + bodyOf(message.message_type, message.media));
}

/** How high a text is that has `width` pixels, and in its last line `beside` less. */
function linesOf(text: string, width: number, beside: number): number {
  // A long one is folded.
  const lines = text.slice(0, 1_200).split('\n', 40);
  let height = 0;
  let widest = 0;
  for (const line of lines) {
    const length = widthOf(line);
    widest = Math.max(widest, length);
    // Words do not break: a line is rarely full.
    height += LINE * (length <= width ? 1 : Math.ceil((length * 1.03) / width));
  }
  // The time stands below where it has no room.
  return height + (widest + beside > width ? 14 : 0);
}

let pen: CanvasRenderingContext2D | null | undefined;

function widthOf(text: string): number {
  if (pen === undefined) {
    pen = typeof document === 'undefined' ? null : document.createElement('canvas').getContext('2d');
    const root = typeof document === 'undefined' ? null : document.querySelector('.wlc');
    if (pen && root) pen.font = `14px ${getComputedStyle(root).fontFamily}`;
  }
  return pen ? pen.measureText(text).width : text.length * 6.8;
}

function bodyOf(type: string | null | undefined, media: { width?: number | null; height?: number | null } | null | undefined): number {
  switch (type) {
    case 'image':
    case 'video': {
      const { width, ratio } = boxOf(media?.width, media?.height);
      return width / ratio;
    }
    case 'audio':
    case 'document':
      return 58;
    case 'sticker':
      return 144;
    case 'location':
    case 'contacts':
    case 'order':
      return 120;
    case 'interactive':
    case 'template':
      return 60;
    default:
      return 0;
  }
}
