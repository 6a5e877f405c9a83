/**
 * WhatsApp's way of writing bold, italic, struck and monospaced text, quotes and lists, and the links in a text. Pure, never throws, and takes
 * time in proportion to the text, whatever stands in it.
 *
 * <https://faq.whatsapp.com/539178204879377>
 */
import { type Link, LINKS, linkOf } from './links';

export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | (Link & { readonly type: 'link' })
  | { readonly type: 'bold' | 'italic' | 'strike'; readonly children: readonly Inline[] };

export type Block =
  | { readonly type: 'paragraph' | 'quote'; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly text: string }
  /** `start`: the number of the first item; null for bullets. */
  | { readonly type: 'list'; readonly start: number | null; readonly items: readonly (readonly Inline[])[] };

/** A fence of three backticks that has lines of its own; what stands within one line is read with that line. */
const FENCE = /(?:^|\n)[ \t]*```\n?([^`]+?)\n?```[ \t]*(?=\n|$)/g;
const QUOTE = /^> ?(.*)$/;
const BULLET = /^[*-] (?=\S)(.*)$/;
const NUMBER = /^(\d{1,3})\. (?=\S)(.*)$/;

export function parseMarkup(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let at = 0;
  for (const fence of text.matchAll(FENCE)) {
    addLines(blocks, text.slice(at, fence.index));
    blocks.push({ type: 'code', text: fence[1] ?? '' });
    at = fence.index + fence[0].length;
    // The line break that ends the fence belongs to it.
    if (text[at] === '\n') at += 1;
  }
  addLines(blocks, text.slice(at));
  return blocks;
}

function addLines(blocks: Block[], text: string): void {
  if (text === '') return;
  let kind: 'paragraph' | 'quote' = 'paragraph';
  let held: string[] = [];
  const flush = () => {
    if (held.length > 0) blocks.push({ type: kind, children: parseInline(held.join('\n')) });
    held = [];
  };
  const hold = (as: typeof kind, line: string) => {
    if (kind !== as) flush();
    kind = as;
    held.push(line);
  };
  let list: { start: number | null; items: (readonly Inline[])[] } | null = null;
  for (const line of text.split('\n')) {
    const number = NUMBER.exec(line);
    const item = number ?? BULLET.exec(line);
    if (item) {
      flush();
      const start = number ? Number(number[1]) : null;
      if (!list || (list.start === null) !== (start === null)) {
        list = { start, items: [] };
        blocks.push({ type: 'list', ...list });
      }
      list.items.push(parseInline(item[number ? 2 : 1] ?? ''));
      continue;
    }
    list = null;
    const quote = QUOTE.exec(line);
    hold(quote ? 'quote' : 'paragraph', quote ? (quote[1] ?? '') : line);
  }
  flush();
}

const MARKS = { '*': 'bold', _: 'italic', '~': 'strike' } as const;
type Mark = keyof typeof MARKS;

/** What is taken as it stands: monospaced stretches and links. */
interface Whole {
  readonly from: number;
  readonly to: number;
  readonly inline: Inline;
}

const CODE = /```([^`\n]+)```|`([^`\n]+)`/g;

/** The marks within a text, which has no blocks. */
export function parseInline(text: string): readonly Inline[] {
  const wholes = findWholes(text);
  const closers = { '*': nextClosers(text, '*', wholes), _: nextClosers(text, '_', wholes), '~': nextClosers(text, '~', wholes) };
  let next = 0;

  // Each mark once within itself, so that a level is one of three at the most.
  const parse = (from: number, to: number, open: string): readonly Inline[] => {
    const inlines: Inline[] = [];
    let plain = from;
    const flush = (end: number) => {
      if (end > plain) inlines.push({ type: 'text', text: text.slice(plain, end) });
    };
    let at = from;
    while (at < to) {
      const whole = wholes[next];
      if (whole && whole.from === at) {
        flush(at);
        inlines.push(whole.inline);
        next += 1;
        at = plain = whole.to;
        continue;
      }
      const mark = text[at] as Mark;
      if (mark in MARKS && !open.includes(mark) && opens(text, at)) {
        const end = closers[mark][at + 2] ?? -1;
        if (end > 0 && end < to) {
          flush(at);
          inlines.push({ type: MARKS[mark], children: parse(at + 1, end, open + mark) });
          at = plain = end + 1;
          continue;
        }
      }
      at += 1;
    }
    flush(to);
    return inlines;
  };
  return parse(0, text.length, '');
}

function findWholes(text: string): readonly Whole[] {
  const codes: Whole[] = [];
  for (const found of text.matchAll(CODE)) {
    codes.push({ from: found.index, to: found.index + found[0].length, inline: { type: 'code', text: found[1] ?? found[2] ?? '' } });
  }
  const wholes: Whole[] = [];
  let code = 0;
  for (const found of text.matchAll(LINKS)) {
    const link = linkOf(found[0]);
    if (!link) continue;
    const from = found.index;
    const to = from + link.text.length;
    for (let known = codes[code]; known && known.to <= from; known = codes[code]) {
      wholes.push(known);
      code += 1;
    }
    const known = codes[code];
    if (!known || known.from >= to) wholes.push({ from, to, inline: { type: 'link', ...link, text: link.shown } });
  }
  return [...wholes, ...codes.slice(code)];
}

const LETTER = /\p{L}/u;
const WORD = /[\p{L}\p{N}]/u;

function isWord(character: string | undefined): boolean {
  return character !== undefined && WORD.test(character);
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}

/** A mark opens before what is no space, unless it stands in a word. */
function opens(text: string, at: number): boolean {
  return !isWord(text[at - 1]) && !isSpace(text[at + 1]) && text[at + 1] !== text[at];
}

/** For each place the next one where `mark` closes in the same line; -1 for none. */
function nextClosers(text: string, mark: Mark, wholes: readonly Whole[]): Int32Array {
  const closers = new Int32Array(text.length + 1).fill(-1);
  if (!text.includes(mark)) return closers;
  let whole = wholes.length - 1;
  let closer = -1;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    for (let known = wholes[whole]; known && known.from > at; known = wholes[whole]) whole -= 1;
    const isInside = at < (wholes[whole]?.to ?? 0);
    if (text[at] === '\n') closer = -1;
    else if (text[at] === mark && !isInside && !isSpace(text[at - 1]) && !isWord(text[at + 1])) closer = at;
    closers[at] = closer;
  }
  return closers;
}

/** A text without its marks: for where it is told in a line. */
export function plainOf(text: string): string {
  const of = (inline: Inline): string => ('children' in inline ? inline.children.map(of).join('') : inline.text);
  return parseMarkup(text)
    .map((block) => (block.type === 'code' ? block.text : block.type === 'list' ? block.items.map((item) => item.map(of).join('')).join('\n') : block.children.map(of).join('')))
    .join('\n');
}

/** How many emoji a text consists of, up to `most`; 0 where it has anything else, or more of them. */
export function countEmoji(text: string, most = 3): number {
  const trimmed = text.trim();
  // Most texts have a letter, and segmenting takes long.
  if (trimmed === '' || trimmed.length > most * 30 || LETTER.test(trimmed)) return 0;
  let count = 0;
  for (const { segment } of new Intl.Segmenter().segment(trimmed)) {
    if (isSpace(segment)) continue;
    if (!/^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|\p{Extended_Pictographic}[\p{Emoji_Modifier}\u200D])/u.test(segment)) return 0;
    count += 1;
  }
  return count <= most ? count : 0;
}
