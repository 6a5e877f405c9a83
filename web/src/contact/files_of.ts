import type { Message } from '../api/types';

export interface FilesOf {
  readonly pictures: readonly Message[];
  readonly documents: readonly Message[];
}

/** The pictures and videos, and the documents, of these messages (oldest first), newest first. */
export function filesOf(messages: readonly Message[]): FilesOf {
  const there = messages.filter(({ deleted_at, media, metadata }) => !deleted_at && (media?.state === 'stored' || (!media && linkOf(metadata) !== null))).reverse();
  return {
    pictures: there.filter(({ message_type }) => message_type === 'image' || message_type === 'video'),
    documents: there.filter(({ message_type }) => message_type === 'document'),
  };
}

/** A file of ours that was sent by link; it is elsewhere. */
export function linkOf(metadata: unknown): { url: string; filename: string | null } | null {
  for (const kind of ['image', 'video', 'document']) {
    const object = (metadata as Record<string, { link?: unknown; filename?: unknown } | undefined> | null)?.[kind];
    if (typeof object?.link === 'string' && /^https?:\/\//i.test(object.link)) {
      return { url: object.link, filename: typeof object.filename === 'string' ? object.filename : null };
    }
  }
  return null;
}
