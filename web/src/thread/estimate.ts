/** How high a row may be, before it is drawn and measured: the better this is, the less the scroll bar moves. */
import { boxOf } from './content/visual';
import { messageOf } from './outgoing';
import type { Row } from './rows';

const LETTERS_A_LINE = 62;
const LINE = 20;

export function estimateOf(row: Row | undefined): number {
  if (!row) return 60;
  if (row.kind === 'day' || row.kind === 'unread') return 44;
  const message = row.kind === 'message' ? row.message : messageOf(row.item);
  const text = message.message_type === 'contacts' || message.message_type === 'location' ? '' : (message.content ?? message.media_caption ?? '');
  // A long one is folded.
  const lines = text === '' ? 0 : Math.min(18, text.split('\n', 18).reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LETTERS_A_LINE)), 0));
  const frame = (row.isLast ? 12 : 2) + 26 + (message.reply_to ? 54 : 0) + (message.reactions.length > 0 ? 18 : 0) + (message.status === 'failed' ? 66 : 0);
  return frame + lines * LINE + bodyOf(message.message_type, message.media);
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
