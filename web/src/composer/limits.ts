/** WhatsApp's limits of what an agent writes. Lengths count code points, as WhatsApp and the API do. */

export const LIMITS = {
  text: 4096,
  caption: 1024,
  filename: 240,
  interactive: { body: 1024, header: 60, footer: 60, button: 20, buttons: 3, rows: 10, sections: 10, rowTitle: 24, rowDescription: 72, url: 2000 },
  location: 1000,
  contact: 1024,
  contacts: 257,
  templateParameter: 1024,
  shortcut: 40,
  quickReply: 4096,
} as const;

const KB = 1024;
const MB = 1024 * KB;

/** The most bytes of a file of each kind. */
export const LARGEST = { image: 5 * MB, video: 16 * MB, audio: 16 * MB, sticker: 100 * KB, animatedSticker: 500 * KB, document: 100 * MB } as const;

export function lengthOf(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) length += 1;
  return length;
}

export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** As much of a text as fits. */
export function cut(text: string, most: number): string {
  return lengthOf(text) <= most ? text : [...text].slice(0, most).join('');
}

/** Whether the API takes it as a link: HTTPS, without a space. */
export function isLink(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' && hostname !== '';
}
