/** WhatsApp's formatting, typed: what the keys and the menu do to the text around the cursor. */

export type Mark = 'bold' | 'italic' | 'strike' | 'code' | 'block' | 'quote' | 'bullets' | 'numbers';

/** What replaces `start` to `end` of the text, and what is selected then. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly selectionStart: number;
  readonly selectionEnd: number;
}

const AROUND = { bold: '*', italic: '_', strike: '~', code: '`', block: '```' } as const;
const BEFORE = { quote: () => '> ', bullets: () => '- ', numbers: (index: number) => `${index + 1}. ` } as const;
const PREFIXES = { quote: /^> /, bullets: /^[-*] /, numbers: /^\d+\. / } as const;

/** Puts a mark around the selection, or takes it away where it is there already. */
export function applyMark(text: string, selectionStart: number, selectionEnd: number, mark: Mark): Edit {
  return mark === 'quote' || mark === 'bullets' || mark === 'numbers'
    ? markLines(text, selectionStart, selectionEnd, mark)
    : wrap(text, selectionStart, selectionEnd, AROUND[mark]);
}

function wrap(text: string, from: number, to: number, sign: string): Edit {
  // A mark has to touch the words: the spaces at both ends stay outside.
  const selected = text.slice(from, to);
  const start = selected.trim() === '' ? from : from + (selected.length - selected.trimStart().length);
  const end = selected.trim() === '' ? to : to - (selected.length - selected.trimEnd().length);
  const inner = text.slice(start, end);
  const size = sign.length;
  if (inner.length >= 2 * size && inner.startsWith(sign) && inner.endsWith(sign)) {
    const bare = inner.slice(size, -size);
    return { start, end, text: bare, selectionStart: start, selectionEnd: start + bare.length };
  }
  if (start >= size && text.slice(start - size, start) === sign && text.slice(end, end + size) === sign) {
    return { start: start - size, end: end + size, text: inner, selectionStart: start - size, selectionEnd: end - size };
  }
  // All but a block end with the line: each line gets marks of its own.
  const isBlock = sign === AROUND.block;
  const marked = isBlock
    ? `${sign}${inner}${sign}`
    : inner
        .split('\n')
        .map((line) => (line.trim() === '' && inner !== '' ? line : line.replace(/^(\s*)(.*?)(\s*)$/, `$1${sign}$2${sign}$3`)))
        .join('\n');
  const caret = start + size;
  const isOneLine = isBlock || !inner.includes('\n');
  return {
    start,
    end,
    text: marked,
    selectionStart: isOneLine ? caret : start,
    selectionEnd: isOneLine ? caret + inner.length : start + marked.length,
  };
}

function markLines(text: string, from: number, to: number, mark: keyof typeof BEFORE): Edit {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const next = text.indexOf('\n', to);
  const end = next < 0 ? text.length : next;
  const lines = text.slice(start, end).split('\n');
  const isMarked = lines.every((line) => PREFIXES[mark].test(line));
  const changed = lines.map((line, index) => (isMarked ? line.replace(PREFIXES[mark], '') : BEFORE[mark](index) + line)).join('\n');
  const isCaret = from === to;
  const caret = Math.max(start, from + changed.length - (end - start));
  return { start, end, text: changed, selectionStart: isCaret ? caret : start, selectionEnd: isCaret ? caret : start + changed.length };
}

/** Whether WhatsApp would find a link in it, of which it can show a preview. */
export function hasLink(text: string): boolean {
  return /\bhttps?:\/\/[^\s]+\.[^\s]/i.test(text);
}
