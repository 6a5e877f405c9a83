/** Where a message's file can be seen: the one that was chosen here while that is at hand, else a link that is asked for. */
import { useEffect, useState } from 'react';
import type { ApiError } from '../../api/client';
import type { Message } from '../../api/types';
import { useMediaLink } from '../../hooks/media';
import { objectOf } from '../metadata';
import { safeHref } from '../links';

/** How long a row has to stay before it asks for its file: what flies by is not worth a request. */
const SETTLED_MS = 120;

export interface FileUrl {
  readonly url: string | undefined;
  readonly error: ApiError | null;
  readonly refresh: () => void;
}

export function useFileUrl(message: Message, file: Blob | null, wanted = true): FileUrl {
  const own = useObjectUrl(file);
  const linked = message.media ? undefined : safeHref(objectOf(objectOf(message.metadata)[message.message_type ?? ''])['link']);
  const isSettled = useSettled();
  const isStored = message.media?.state === 'stored' && message.id !== 0;
  const { url, error, refresh } = useMediaLink(wanted && isSettled && isStored && !own ? message : null);
  return { url: own ?? linked ?? url, error, refresh };
}

/** Stays once it was there: the message that an item of the outbox becomes goes on showing its file. */
function useObjectUrl(file: Blob | null): string | undefined {
  const [kept, setKept] = useState(file);
  const [url, setUrl] = useState<string>();
  if (file && file !== kept) setKept(file);
  useEffect(() => {
    if (!kept) return undefined;
    const made = URL.createObjectURL(kept);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [kept]);
  return url;
}

function useSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLED_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}
