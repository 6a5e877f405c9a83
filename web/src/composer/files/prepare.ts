/** Makes of a chosen, pasted or dropped file what WhatsApp takes: its kind, a picture that it can show, and how large that is. */
import type { DraftFile } from '../../store/drafts';
import type { OutgoingFile } from '../../store/outbox';
import { LARGEST, LIMITS } from '../limits';
import { bare } from '../outgoing';
import { cleanName, isAnimatedWebp, isOtherPicture, kindOf, largest, SNIFFED, sniff } from './sniff';

/** Why a file cannot be sent. */
export type Refusal = 'empty' | 'too_large' | 'unreadable';

export type Prepared = { readonly file: DraftFile; readonly refusal?: undefined } | { readonly file?: undefined; readonly refusal: Refusal };

/** The longer side of a picture that is made smaller. */
const LONGEST_SIDE = 4096;
const JPEG_QUALITY = 0.88;
/** A file that cannot be measured within this time is sent without. */
const MEASURED_WITHIN_MS = 5_000;

export async function prepare(file: File): Promise<Prepared> {
  if (file.size === 0) return { refusal: 'empty' };
  if (file.size > LARGEST.document) return { refusal: 'too_large' };
  let start: Uint8Array;
  try {
    start = new Uint8Array(await file.slice(0, SNIFFED).arrayBuffer());
  } catch {
    // A folder, or a file that was moved since.
    return { refusal: 'unreadable' };
  }
  const type = sniff(start, file.type, file.name);
  const name = cleanName(file.name, LIMITS.filename);
  const whole: Typed = { blob: typed(file, type), type, name };
  const id = crypto.randomUUID();
  const kind = kindOf(type);
  if (kind === 'image' || isOtherPicture(type)) {
    const picture = await toPicture(whole, start).catch(() => null);
    if (picture) return { file: { ...picture, id } };
    return { file: { ...asDocument(whole), id } };
  }
  if (kind === 'video' && file.size <= LARGEST.video) return { file: { ...asKind(whole, kind), ...(await measureVideo(whole.blob)), id, original: asDocument(whole) } };
  if (kind === 'audio' && file.size <= LARGEST.audio) return { file: { ...asKind(whole, kind), id, original: asDocument(whole) } };
  return { file: { ...asDocument(whole), id } };
}

interface Typed {
  readonly blob: Blob;
  readonly type: string;
  readonly name: string;
}

function asKind({ blob, name }: Typed, kind: OutgoingFile['kind']): OutgoingFile {
  return { file: blob, name, kind };
}

function asDocument(whole: Typed): OutgoingFile {
  return asKind(whole, 'document');
}

/** The same bytes under another type, without reading them. */
function typed(file: Blob, type: string): Blob {
  return file.type === type ? file : new Blob([file], { type });
}

/** A picture that WhatsApp shows: as it is where it can be, else drawn anew as JPEG. Null where that cannot be done. */
async function toPicture(whole: Typed, start: Uint8Array): Promise<Omit<DraftFile, 'id'> | null> {
  const source = await decode(whole.blob);
  try {
    const { width, height } = source;
    const original = asDocument(whole);
    const isSticker = whole.type === 'image/webp' && whole.blob.size <= largest('sticker', isAnimatedWebp(start));
    const sticker = isSticker ? { sticker: asKind(whole, 'sticker') } : {};
    if (kindOf(whole.type) === 'image' && whole.blob.size <= LARGEST.image) return { ...asKind(whole, 'image'), width, height, original };
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
    const jpeg = await draw(source.image, size);
    if (!jpeg || jpeg.size > LARGEST.image) return null;
    return { file: jpeg, name: `${whole.name.replace(/\.[^.]*$/, '')}.jpg`, kind: 'image', ...size, original, ...sticker };
  } finally {
    source.close();
  }
}

interface Decoded {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  close(): void;
}

async function decode(blob: Blob): Promise<Decoded> {
  try {
    const bitmap = await createImageBitmap(blob);
    return { image: bitmap, width: bitmap.width, height: bitmap.height, close: () => bitmap.close() };
  } catch {
    // Drawings (SVG) are for an element only.
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.src = url;
    try {
      await image.decode();
    } catch (cause) {
      URL.revokeObjectURL(url);
      throw cause;
    }
    // A drawing without a size of its own.
    const width = image.naturalWidth || 1024;
    return { image, width, height: image.naturalHeight || width, close: () => URL.revokeObjectURL(url) };
  }
}

function draw(image: CanvasImageSource, { width, height }: { width: number; height: number }): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  // JPEG has no transparency; black is what it would become.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', JPEG_QUALITY));
}

async function measureVideo(blob: Blob): Promise<{ width?: number; height?: number; durationMs?: number }> {
  const url = URL.createObjectURL(blob);
  const video = document.createElement('video');
  video.preload = 'metadata';
  video.muted = true;
  const loaded = new Promise<boolean>((done) => {
    video.onloadedmetadata = () => done(true);
    video.onerror = () => done(false);
    setTimeout(() => done(false), MEASURED_WITHIN_MS);
  });
  video.src = url;
  try {
    if (!(await loaded) || video.videoWidth === 0) return {};
    const durationMs = Number.isFinite(video.duration) ? { durationMs: Math.round(video.duration * 1000) } : {};
    return { width: video.videoWidth, height: video.videoHeight, ...durationMs };
  } finally {
    video.removeAttribute('src');
    URL.revokeObjectURL(url);
  }
}

export type SendAs = 'own' | 'document' | 'sticker';

/** What a file of the draft can be sent as besides what it is. */
export function otherWays(file: DraftFile): readonly SendAs[] {
  const ways: SendAs[] = [];
  if (file.own) ways.push('own');
  if (file.original && file.kind !== 'document') ways.push('document');
  if (file.sticker && file.kind !== 'sticker') ways.push('sticker');
  return ways;
}

/** The file in another way. What it was before stays with it, so that it can be taken back. */
export function sendAs(file: DraftFile, way: SendAs): DraftFile {
  const next = way === 'own' ? file.own : way === 'sticker' ? file.sticker : file.original;
  if (!next) return file;
  const own = way === 'own' ? {} : { own: file.own ?? bare(file) };
  return {
    ...next,
    id: file.id,
    ...own,
    ...(file.original && { original: file.original }),
    ...(file.sticker && { sticker: file.sticker }),
    ...(file.caption !== undefined && { caption: file.caption }),
  };
}
