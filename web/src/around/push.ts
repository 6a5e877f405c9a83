/** Notifications by the service worker, also while no page is open: this browser's subscription, and its end. */
import { ApiError, Client, type GetAccessToken } from '../api/client';
import { type PushWords, WORDS_CACHE, WORDS_URL } from './push_words';

/** `unsupported`: this browser cannot, or the server does not; `denied`: the agent has forbidden it in the browser. */
export type PushState = 'unsupported' | 'denied' | 'off' | 'on';

export function isPushSupported(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && typeof Notification !== 'undefined';
}

export async function pushState(serviceWorkerUrl: string): Promise<PushState> {
  if (!isPushSupported()) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const subscription = await (await navigator.serviceWorker.getRegistration(serviceWorkerUrl))?.pushManager.getSubscription();
  return subscription && Notification.permission === 'granted' ? 'on' : 'off';
}

/** Subscribes, or renews what is there; gives false where the server has no notifications. The permission has to be given already. */
export async function subscribePush(client: Client, serviceWorkerUrl: string, { showText, words }: { showText: boolean; words: PushWords }): Promise<boolean> {
  const { public_key: publicKey } = await client.get('/api/live-chat/push-subscriptions');
  if (!publicKey) return false;
  await caches.open(WORDS_CACHE).then((cache) => cache.put(WORDS_URL, Response.json(words))).catch(() => {});
  await navigator.serviceWorker.register(serviceWorkerUrl);
  const registration = await readyRegistration(serviceWorkerUrl);
  let subscription = await subscribe(registration, publicKey);
  try {
    await save(client, subscription, showText);
  } catch (error) {
    // The endpoint is another agent's, who used this browser before.
    if (!(error instanceof ApiError) || error.status !== 422) throw error;
    await subscription.unsubscribe();
    subscription = await subscribe(registration, publicKey);
    await save(client, subscription, showText);
  }
  return true;
}

export async function unsubscribePush(client: Client, serviceWorkerUrl?: string): Promise<void> {
  if (!isPushSupported()) return;
  const subscription = await (await navigator.serviceWorker.getRegistration(serviceWorkerUrl))?.pushManager.getSubscription();
  if (!subscription) return;
  // Here first: nothing arrives any more, even when the server cannot be told.
  await subscription.unsubscribe();
  await client.delete('/api/live-chat/push-subscriptions', { body: { endpoint: subscription.endpoint } });
}

/** Ends notifications in this browser when an agent signs out, while their token is still good. Never fails. */
export async function signOutPush({ apiUrl, getAccessToken, serviceWorkerUrl }: { apiUrl: string; getAccessToken: GetAccessToken; serviceWorkerUrl?: string }): Promise<void> {
  await unsubscribePush(new Client({ apiUrl, getAccessToken, timeout: 5_000 }), serviceWorkerUrl).catch(() => {});
  if ('caches' in globalThis) await caches.delete(WORDS_CACHE).catch(() => false);
}

async function readyRegistration(serviceWorkerUrl: string): Promise<ServiceWorkerRegistration> {
  const registration = await navigator.serviceWorker.getRegistration(serviceWorkerUrl);
  const worker = registration?.active ?? registration?.waiting ?? registration?.installing;
  if (!registration || !worker) throw new Error('The service worker is not there');
  // Only an active one can be subscribed.
  if (!registration.active) {
    await new Promise<void>((resolve, reject) => {
      worker.addEventListener('statechange', () => {
        if (worker.state === 'activated') resolve();
        if (worker.state === 'redundant') reject(new Error('The service worker could not be installed'));
      });
      if (worker.state === 'activated') resolve();
    });
  }
  return registration;
}

async function subscribe(registration: ServiceWorkerRegistration, publicKey: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  try {
    return await registration.pushManager.subscribe(options);
  } catch (error) {
    // One with an older key of the server's stands in the way.
    const old = await registration.pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return registration.pushManager.subscribe(options);
  }
}

async function save(client: Client, subscription: PushSubscription, showText: boolean): Promise<void> {
  const { endpoint = '', expirationTime = null, keys = {} } = subscription.toJSON();
  await client.post('/api/live-chat/push-subscriptions', {
    body: { endpoint, expiration_time: expirationTime, keys: { p256dh: keys['p256dh'] ?? '', auth: keys['auth'] ?? '' }, show_text: showText },
  });
}
