/** Quick replies by `/`: what is being looked for, which ones fit, and what stays to be filled in. */
import type { QuickReply } from '../api/types';

/** A `/` at the start of a word, and what was typed after it. */
export interface Slash {
  readonly start: number;
  readonly query: string;
}

/** What is looked for where the cursor stands; null for nothing. */
export function slashAt(text: string, cursor: number): Slash | null {
  const before = text.slice(0, cursor);
  const found = /(?:^|\s)\/([^\s/]*)$/u.exec(before);
  return found ? { start: before.length - (found[1] ?? '').length - 1, query: found[1] ?? '' } : null;
}

/** Those that fit, best first: a shortcut that begins so, one that has it within, then a content. */
export function matchQuickReplies(quickReplies: readonly QuickReply[], query: string): readonly QuickReply[] {
  const wanted = plain(query);
  const rank = ({ shortcut, rendered, content }: QuickReply) => {
    const name = plain(shortcut);
    if (name.startsWith(wanted)) return 0;
    if (name.includes(wanted)) return 1;
    return plain(rendered ?? content ?? '').includes(wanted) ? 2 : 3;
  };
  return quickReplies
    .map((quickReply) => ({ quickReply, rank: rank(quickReply) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map(({ quickReply }) => quickReply);
}

/** Without case and accents. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** A place in a text that is still to be filled in. */
export interface Blank {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** The placeholders of a text, as the API reads them: a name between double braces, without a line break. */
export function blanksIn(text: string): readonly Blank[] {
  return [...text.matchAll(/\{\{([^{}\n]*)\}\}/g)]
    .map((found) => ({ start: found.index, end: found.index + found[0].length, name: (found[1] ?? '').trim() }))
    .filter(({ name }) => name !== '');
}

/** The text with values in place of its placeholders; one without a value stays as it is. */
export function fillBlanks(text: string, valueOf: (name: string) => string | null | undefined): string {
  return text.replace(/\{\{([^{}\n]*)\}\}/g, (blank, name: string) => valueOf(name.trim()) || blank);
}
