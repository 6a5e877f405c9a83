import { useEffect, useRef } from 'react';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { canNotify } from './alerts';
import { type Hub, isCurrent, useHub, useSettings } from './hub';
import { useMessageWords } from './message_words';
import { subscribePush } from './push';
import type { WorkerLetter } from './push_words';

/** Renews this browser's subscription at each start, opens what a notification was clicked for, and takes notifications away that were answered. */
export function usePush(isReady: boolean): void {
  const store = useStore();
  const ui = useUi();
  const hub = useHub();
  const words = useMessageWords();
  const [{ notify, showText }] = useSettings();
  const url = ui.features.push === false ? undefined : ui.serviceWorkerUrl;

  useEffect(() => {
    if (!isReady || !notify || url === undefined || !canNotify()) {
      hub.isPushed = false;
      return;
    }
    let current = true;
    const renew = async () => {
      const isPushed = await subscribePush(store.client, url, { showText, words });
      if (current) hub.isPushed = isPushed;
    };
    // The next start tries again; until then the page itself notifies.
    const attempt = () => void renew().catch(() => {});
    attempt();
    const hear = ({ data }: MessageEvent<Partial<WorkerLetter> | null>) => {
      if (data?.type === 'push-subscription-changed') attempt();
    };
    navigator.serviceWorker?.addEventListener('message', hear);
    return () => {
      current = false;
      navigator.serviceWorker?.removeEventListener('message', hear);
    };
  }, [isReady, notify, showText, words, url, store, hub]);

  const latest = useRef(ui);
  useEffect(() => {
    latest.current = ui;
  });
  useEffect(() => {
    if (url === undefined) return;
    return onOpen(hub, (id) => latest.current.openConversation(id));
  }, [hub, url]);

  const { conversationId } = ui;
  useEffect(() => {
    if (url === undefined || conversationId === null || !('serviceWorker' in navigator)) return;
    const tidy = async () => {
      if (document.visibilityState !== 'visible') return;
      const registration = await navigator.serviceWorker.getRegistration(url);
      const shown = await registration?.getNotifications({ tag: `waba-live-chat ${conversationId}` });
      for (const notification of shown ?? []) notification.close();
    };
    const attempt = () => void tidy().catch(() => {});
    attempt();
    document.addEventListener('visibilitychange', attempt);
    return () => document.removeEventListener('visibilitychange', attempt);
  }, [conversationId, url]);
}

function onOpen(hub: Hub, open: (conversationId: number) => void): () => void {
  const hear = ({ data }: MessageEvent<Partial<WorkerLetter> | null>) => {
    if (data?.type === 'open-conversation' && typeof data.conversationId === 'number' && isCurrent(hub)) open(data.conversationId);
  };
  navigator.serviceWorker?.addEventListener('message', hear);
  return () => navigator.serviceWorker?.removeEventListener('message', hear);
}
