/**
 * Shows what customers write while nobody looks at a page of the agent, also when all are closed. It caches no page: a new release is there
 * with the next load.
 *
 * Its address may say where the inbox is, as `/service_worker.js?page=/support/inbox`; it is its own folder unless given.
 */
import { WORDS_CACHE, WORDS_URL, type WorkerLetter } from '../around/push_words';
import { toShown, wordsOf } from './push_notification';

/** As much of a service worker's surroundings as is used; TypeScript's own description does not go together with a page's. */
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface PushEvent extends Extendable {
  readonly data: { json(): unknown } | null;
}
interface ClickEvent extends Extendable {
  readonly notification: Notification;
}
interface SubscriptionEvent extends Extendable {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}
interface WindowClient {
  readonly url: string;
  readonly focused: boolean;
  readonly visibilityState: DocumentVisibilityState;
  postMessage(letter: WorkerLetter): void;
  focus(): Promise<unknown>;
}
interface Worker {
  readonly registration: ServiceWorkerRegistration;
  readonly location: Location;
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'push', listener: (event: PushEvent) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: ClickEvent) => void): void;
  addEventListener(type: 'pushsubscriptionchange', listener: (event: SubscriptionEvent) => void): void;
}

const worker = globalThis as unknown as Worker;

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('push', (event) => event.waitUntil(show(event)));
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const data: unknown = event.notification.data;
  const id = typeof data === 'object' && data !== null && 'conversationId' in data ? data.conversationId : null;
  if (typeof id === 'number') event.waitUntil(open(id));
});
worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event)));

async function show(event: PushEvent): Promise<void> {
  let payload: unknown = null;
  try {
    payload = event.data?.json();
  } catch {
    // Not ours.
  }
  const kept = await caches.match(WORDS_URL, { cacheName: WORDS_CACHE }).then((found) => found?.json()).catch(() => null);
  const shown = toShown(payload, wordsOf(kept));
  if (shown) await worker.registration.showNotification(shown.title, shown.options);
}

/** Where the inbox is. */
function page(): URL {
  return new URL(new URL(worker.location.href).searchParams.get('page') ?? '', worker.registration.scope);
}

/** Opens a conversation in the page that was looked at last, or in a new one. */
async function open(conversationId: number): Promise<void> {
  const url = page();
  const pages = (await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })).filter((client) => isInbox(client, url));
  // They come in the order in which they last had the focus.
  const best = pages.find(({ focused }) => focused) ?? pages.find(({ visibilityState }) => visibilityState === 'visible') ?? pages[0];
  if (best) {
    best.postMessage({ type: 'open-conversation', conversationId });
    await best.focus().catch(() => {});
    return;
  }
  url.searchParams.set('conversation', String(conversationId));
  await worker.clients.openWindow(url.href);
}

function isInbox({ url }: WindowClient, inbox: URL): boolean {
  const { origin, pathname } = new URL(url);
  return origin === inbox.origin && pathname.startsWith(inbox.pathname);
}

/** The browser has replaced the subscription. Only a page has the agent's token; the next one that is opened tells the server at the latest. */
async function renew({ oldSubscription, newSubscription }: SubscriptionEvent): Promise<void> {
  const options = oldSubscription?.options;
  if (!newSubscription && options) await worker.registration.pushManager.subscribe(options);
  for (const client of await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })) client.postMessage({ type: 'push-subscription-changed' });
}
