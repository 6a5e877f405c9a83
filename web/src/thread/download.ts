/** Saves a message's file under its own name. */
import type { Message } from '../api/types';
import { mediaLink } from '../hooks/media';
import type { Store } from '../store/store';

export async function downloadFile(store: Store, message: Message): Promise<void> {
  const url = await mediaLink(store, message);
  try {
    // A link to another host is followed, not saved, whatever its attribute says: what a browser can show needs the bytes.
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`The file's host answered ${answer.status}`);
    const saved = URL.createObjectURL(await answer.blob());
    press(saved, message.media?.filename ?? nameOf(message));
    setTimeout(() => URL.revokeObjectURL(saved), 60_000);
  } catch {
    press(url, '');
  }
}

function nameOf(message: Message): string {
  const [kind = 'file', subtype = 'bin'] = (message.media?.mime_type ?? '').split(';')[0]?.split('/') ?? [];
  const ending = { jpeg: 'jpg', mpeg: 'mp3', quicktime: 'mov', '3gpp': '3gp' }[subtype] ?? subtype.replace(/[^a-z0-9]/g, '');
  return `${message.message_type ?? kind}-${message.timestamp?.slice(0, 10) ?? ''}.${ending}`;
}

function press(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  if (name === '') link.target = '_blank';
  else link.download = name;
  link.rel = 'noopener noreferrer';
  link.click();
}
