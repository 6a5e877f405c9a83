import { useEffect, useState } from 'react';
import { useStore } from '../store/context';
import { useHub } from './hub';

/** What names this user's things in this browser, once that is known; from then on their settings hold. Of a token that names nobody it is everybody's. */
export function useUser(): string | null {
  const store = useStore();
  const { settings } = useHub();
  const [user, setUser] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    void store.disk().then(() => {
      if (current) setUser(store.name ?? 'waba-live-chat');
    });
    return () => {
      current = false;
    };
  }, [store]);
  useEffect(() => (user === null ? undefined : settings.open(user)), [settings, user]);
  return user;
}
