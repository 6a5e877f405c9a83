import { useEffect, useState } from 'react';
import { useStore } from '../store/context';
import { useHub } from './hub';

/** Whose inbox this is, once a token says so; from then on their settings hold. A token that names nobody counts as everybody's. */
export function useUser(): string | null {
  const store = useStore();
  const { settings } = useHub();
  const [user, setUser] = useState<string | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    let isAsking = false;
    const ask = async () => {
      if (isAsking) return;
      isAsking = true;
      try {
        const found = subjectOf(await store.client.token(ended.signal));
        if (ended.signal.aborted) return;
        forget();
        setUser(found);
      } catch {
        // Not now: each change of the connection's state asks anew.
        isAsking = false;
      }
    };
    const forget = store.live.subscribe(({ type }) => {
      if (type === 'status') void ask();
    });
    void ask();
    return () => {
      ended.abort();
      forget();
    };
  }, [store]);
  useEffect(() => (user === null ? undefined : settings.open(user)), [settings, user]);
  return user;
}

function subjectOf(token: string): string {
  try {
    const part = token.split('.')[1] ?? '';
    const { sub } = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return '';
  }
}
