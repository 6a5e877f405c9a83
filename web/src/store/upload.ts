/** Files on their way to the API: announced, then put where it says. */
import { ApiError, type Client } from '../api/client';
import type { UploadReply } from '../api/types';

/** Puts a file; gives the HTTP status, 0 without an answer. */
export type PutFile = (target: UploadReply['upload'], file: Blob, onProgress: (progress: number) => void, signal?: AbortSignal) => Promise<number>;

/** How often a link may end before a file is there. */
const MOST_LINKS = 3;

/** Resolves with the file's `media_id`; failures are [`ApiError`]. */
export async function upload(
  client: Client,
  put: PutFile,
  file: Blob,
  { name, kind }: { name: string; kind: string },
  onProgress: (progress: number) => void = () => {},
  signal?: AbortSignal,
): Promise<string> {
  // The type decides what kind it is, but for what is sent as a document whatever it is.
  const body = { mime_type: file.type || 'application/octet-stream', size: file.size, filename: name, ...(kind === 'document' && { kind }) };
  for (let links = 1; ; links += 1) {
    const { media_id: id, upload } = await client.post('/api/live-chat/media', { body, ...(signal && { signal }) });
    const status = await put(upload, file, onProgress, signal);
    signal?.throwIfAborted();
    // 412: it is there already.
    if ((status >= 200 && status < 300) || status === 412) return id;
    // 403: the link has ended, as one does while a slow file waits.
    if (status === 403 && links < MOST_LINKS) continue;
    throw new ApiError(status, status === 0 ? { code: 'network', message: 'The file could not be sent' } : { code: 'upload_failed', message: `The file was not taken (${status})` });
  }
}

/** By XMLHttpRequest: `fetch` does not say how much of a body is sent. */
export const putByRequest: PutFile = (target, file, onProgress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const end = (finish: () => void) => () => {
      signal?.removeEventListener('abort', stop);
      finish();
    };
    request.open(target.method, target.url);
    for (const [name, value] of Object.entries(target.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = end(() => resolve(request.status));
    request.onerror = end(() => resolve(0));
    request.onabort = end(() => reject(signal?.reason instanceof Error ? signal.reason : new DOMException('It was stopped', 'AbortError')));
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    else request.send(file);
  });
