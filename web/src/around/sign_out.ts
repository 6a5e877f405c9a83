import { useCallback } from 'react';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { useHub } from './hub';
import { signOutPush } from './push';

/** What belongs before a sign-out, while the token is still good: notifications end, and what is kept of the agent in this browser is deleted, with what is not sent. Never fails. */
export function useSignOut(): () => Promise<void> {
  const store = useStore();
  const { settings } = useHub();
  const { serviceWorkerUrl } = useUi();
  return useCallback(async () => {
    const { apiUrl, getAccessToken } = store.options;
    // Nothing keeps somebody from leaving: where the server cannot be reached, notifications end with the subscription in this browser.
    await signOutPush({ apiUrl, getAccessToken, ...(serviceWorkerUrl !== undefined && { serviceWorkerUrl }) });
    settings.forget();
    await store.clear().catch(() => {});
  }, [store, settings, serviceWorkerUrl]);
}
