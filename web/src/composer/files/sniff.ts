/** What a file really is, by its first bytes: the API refuses one that is not what its type says. */
import type { OutgoingFile } from '../../store/outbox';
import { LARGEST } from '../limits';

/** How many bytes [`sniff`] wants to see. */
export const SNIFFED = 1024;

const NAMES: Record<string, string> = {
  aac: 'audio/aac',
  amr: 'audio/amr',
  m4a: 'audio/mp4',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  '3gp': 'video/3gpp',
  pdf: 'application/pdf',
  heic: 'image/heic',
  heif: 'image/heif',
  csv: 'text/csv',
  txt: 'text/plain',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
};

const ALIASES: Record<string, string> = {
  'audio/x-m4a': 'audio/mp4',
  'audio/m4a': 'audio/mp4',
  'audio/mp3': 'audio/mpeg',
  'audio/x-aac': 'audio/aac',
  'audio/aacp': 'audio/aac',
  'audio/opus': 'audio/ogg',
  'video/x-m4v': 'video/mp4',
  'video/3gp': 'video/3gpp',
  'image/jpg': 'image/jpeg',
};

const UNKNOWN = 'application/octet-stream';

/** The type of a file: what its bytes say, else what the computer or its name says, unless the bytes deny that. */
export function sniff(start: Uint8Array, declared: string, name: string): string {
  const text = (from: number, to: number) => String.fromCharCode(...start.subarray(from, to));
  const essence = (declared.split(';')[0] ?? '').trim().toLowerCase();
  const byName = NAMES[name.split('.').at(-1)?.toLowerCase() ?? ''];
  const said = (ALIASES[essence] ?? essence) || byName || UNKNOWN;
  if (start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff) return 'image/jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (text(0, 4) === 'GIF8') return 'image/gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp';
  if (text(0, 4) === 'OggS') return text(28, 36) === 'OpusHead' ? 'audio/ogg; codecs=opus' : 'application/ogg';
  if (text(0, 5) === '#!AMR') return 'audio/amr';
  if (text(4, 8) === 'ftyp') return isoType(text(8, 12), said);
  if (said === 'audio/mpeg' || said === 'audio/aac') return isFramed(start, said) ? said : UNKNOWN;
  if (said === 'application/pdf') return text(0, SNIFFED).includes('%PDF-') ? said : UNKNOWN;
  if (said.startsWith('application/vnd.openxmlformats-officedocument.')) {
    return text(0, 2) === 'PK' || text(0, 4) === '\xd0\xcf\x11\xe0' ? said : UNKNOWN;
  }
  return BY_BYTES.has(said) ? UNKNOWN : said;
}

/** Types that would have been found by their bytes. */
const BY_BYTES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'audio/ogg', 'audio/amr', 'audio/mp4', 'video/mp4', 'video/3gpp']);

/** One container holds films, sounds and Apple's pictures; its brand tells them apart. */
function isoType(brand: string, said: string): string {
  if (/^(heic|heix|hevc|heim|heis|mif1|msf1)$/.test(brand)) return 'image/heic';
  if (/^(avif|avis)$/.test(brand)) return 'image/avif';
  if (brand.startsWith('qt')) return 'video/quicktime';
  if (brand.startsWith('M4A') || said === 'audio/mp4') return 'audio/mp4';
  return brand.startsWith('3gp') ? 'video/3gpp' : 'video/mp4';
}

/** MP3 and AAC are frames with a sync word, and tags may come before them. */
function isFramed(start: Uint8Array, type: string): boolean {
  const [first = 0, second = 0] = start;
  if (String.fromCharCode(...start.subarray(0, 3)) === 'ID3') return true;
  if (first !== 0xff) return false;
  return type === 'audio/aac' ? (second & 0xf6) === 0xf0 : (second & 0xe0) === 0xe0 && (second & 0x06) !== 0;
}

/** Whether a WebP picture moves, by the flag of its extended header. */
export function isAnimatedWebp(start: Uint8Array): boolean {
  return String.fromCharCode(...start.subarray(12, 16)) === 'VP8X' && ((start[20] ?? 0) & 0x02) !== 0;
}

const KINDS: Record<string, OutgoingFile['kind']> = {
  'image/jpeg': 'image',
  'image/png': 'image',
  'audio/aac': 'audio',
  'audio/amr': 'audio',
  'audio/mpeg': 'audio',
  'audio/mp4': 'audio',
  'audio/ogg': 'audio',
  'video/mp4': 'video',
  'video/3gpp': 'video',
};

/** What WhatsApp shows a file of this type as; a WebP picture is a sticker only where the agent says so. */
export function kindOf(type: string): OutgoingFile['kind'] {
  return KINDS[type.split(';')[0] ?? ''] ?? 'document';
}

/** Pictures that WhatsApp does not take, and that browsers may be able to draw. */
export function isOtherPicture(type: string): boolean {
  return type.startsWith('image/') && kindOf(type) === 'document';
}

/** The most bytes of a file of this kind. */
export function largest(kind: OutgoingFile['kind'], isAnimated = false): number {
  return kind === 'sticker' && isAnimated ? LARGEST.animatedSticker : LARGEST[kind];
}

/** A name as the API takes it: no control characters, at most 240 characters, with its ending. */
export function cleanName(name: string, most: number): string {
  const clean = [...name].filter((letter) => !/\p{Cc}/u.test(letter));
  if (clean.join('').trim() === '') return 'file';
  if (clean.length <= most) return clean.join('');
  const ending = /\.[^.]{1,12}$/.exec(name)?.[0] ?? '';
  return clean.slice(0, most - ending.length).join('') + ending;
}
