/** The links in a text: what of it is one, and where it may lead. */

export interface Link {
  readonly text: string;
  readonly href: string;
  /** Where it truly leads, when its text might look like something else. */
  readonly host: string | null;
}

/** What may be a link; [`linkOf`] decides. Each alternative begins at a place where no earlier one could have begun, which keeps it linear. */
export const LINKS =
  /(?<![\p{L}\p{N}])(?:https?:\/\/|www\.)[^\s<>"`]{1,2048}|(?<![\p{L}\p{N}])tel:\+?[\d().-]{3,30}|(?<![\w.+-])(?:mailto:)?[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])|(?<![\p{L}\p{N}+])\+\d(?:[ .\-()]{0,2}\d){6,14}(?!\d)/giu;

/** What looks like something else, or like nothing: directions of writing, joiners, and the like. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;

/** `found` as a link, without what ends the sentence rather than the link; null where it leads nowhere that is safe. */
export function linkOf(found: string): (Link & { readonly shown: string }) | null {
  if (/^(https?:\/\/|www\.)/i.test(found)) return webLink(withoutEnd(found));
  if (found.startsWith('+')) return { text: found, shown: found, href: `tel:${found.replace(/[^\d+]/g, '')}`, host: null };
  const text = found.replace(/[.-]+$/, '');
  if (/^tel:/i.test(text)) {
    const number = text.slice(4).replace(/[^\d+]/g, '');
    // Brackets and points alone are no number.
    return /\d/.test(number) ? { text, shown: text, href: `tel:${number}`, host: null } : null;
  }
  return { text, shown: text, href: `mailto:${text.replace(/^mailto:/i, '')}`, host: null };
}

function webLink(text: string): (Link & { readonly shown: string }) | null {
  const shown = text.replace(INVISIBLE, '');
  const url = parse(/^www\./i.test(shown) ? `https://${shown}` : shown);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || !url.hostname.includes('.')) return null;
  const isPlain = url.username === '' && url.password === '' && !url.hostname.split('.').some((part) => part.startsWith('xn--'));
  // What has its host in plain letters shows where it leads.
  return { text, shown, href: url.href, host: isPlain ? null : url.host };
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Only where a link leads that is meant for a browser, a mail program or a phone; undefined for everything else. */
export function safeHref(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined;
  const url = parse(address.trim());
  return url && ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? url.href : undefined;
}

const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Without the punctuation behind it; a bracket that is opened in it belongs to it. */
function withoutEnd(text: string): string {
  let end = text.length;
  const count = (character: string) => text.slice(0, end).split(character).length - 1;
  // A bracket counts the whole of it, hence the bound.
  for (let steps = 0; end > 0 && steps < 64; steps += 1) {
    const last = text[end - 1] ?? '';
    const opener = PAIRS[last];
    if (opener ? count(opener) >= count(last) : !/[.,;:!?'"*_~…«»“”‘’]/.test(last)) break;
    end -= 1;
  }
  return text.slice(0, end);
}
