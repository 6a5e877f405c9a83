/**
 * Tells the agent of what customers write while the page is open: by a sound, by a notification of the computer while nobody looks, and by
 * the host's `onNotification`. Messages that arrive after a cut are told together, once.
 */
import type { Conversation } from '../api/types';
import type { Store } from '../store/store';
import { nameOf } from '../ui/avatar';
import type { Host } from '../ui/context';
import { Claims } from './claims';
import { latestOfEach, type News, newsOf } from './news';
import { isAudible, type SettingsStore } from './settings';
import type { Sounder } from './sounder';

export interface AlertWords {
  /** What a message says, in words where it has none. */
  message(message: News['message']): string;
  /** `5 new messages` */
  count(count: number): string;
  /** The title where names are not to be shown. */
  untitled: string;
}

export interface AlertsOptions {
  readonly store: Store;
  readonly settings: SettingsStore;
  readonly sounder: Pick<Sounder, 'play' | 'isAllowed'>;
  readonly claims: Claims;
  readonly host: { readonly current: Host };
  readonly words: () => AlertWords;
  readonly features: () => { readonly sounds?: boolean; readonly push?: boolean };
  /** Whether the service worker notifies in this browser: then nothing is shown here. */
  readonly isPushed: () => boolean;
  readonly onOpen: (conversationId: number) => void;
  /** The browser lets no sound through before the agent has clicked into the page. */
  readonly onBlocked: () => void;
}

/** More conversations than that get one notification together. */
const MOST_SHOWN = 3;

export class Alerts {
  readonly #options: AlertsOptions;
  /** What came while the page caught up. */
  #behind: News[] = [];

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  start(): () => void {
    const { store } = this.#options;
    const end = store.live.subscribe((event) => {
      if (event.type === 'changes') {
        const news = newsOf(event.changes, Date.now());
        if (news.length === 0) return;
        if (store.live.status.state === 'live') void this.#tell(news);
        else this.#behind.push(...news);
      } else if (event.type === 'reset') {
        this.#behind = [];
      } else if (event.type === 'status' && event.status.state === 'live' && this.#behind.length > 0) {
        void this.#tell(this.#behind.splice(0));
      }
    });
    return () => {
      end();
      this.#behind = [];
    };
  }

  async #tell(all: readonly News[]): Promise<void> {
    const { claims, sounder, settings, host, onBlocked, features, words } = this.#options;
    const eyes = await claims.eyes();
    const unseen = all.filter(({ message }) => !eyes.sees(message.conversation_id));
    const wanted: News[] = [];
    for (const news of latestOfEach(unseen)) {
      const conversation = await this.#conversation(news.message.conversation_id);
      const told = host.current.onNotification?.({
        conversationId: news.message.conversation_id,
        phoneNumberId: news.phoneNumberId ?? conversation?.phone_number_id ?? '',
        title: conversation ? nameOf(conversation) : words().untitled,
        body: news.message.content ?? news.message.media_caption ?? null,
      });
      if (told !== false) wanted.push(news);
    }
    if (wanted.length === 0) return;
    const isHidden = document.visibilityState !== 'visible';
    if (isHidden && !eyes.anyone) await this.#show(unseen, wanted);
    // A tab that is looked at sounds, so that a click into it lets the sound through.
    if (features().sounds === false || (isHidden && eyes.anyone)) return;
    const audible = wanted.filter(({ phoneNumberId }) => isAudible(settings.value, phoneNumberId, Date.now()));
    if (audible.length === 0) return;
    if (!sounder.isAllowed) return onBlocked();
    if (!(await claims.claim('sound', audible.map(({ message }) => message.id))) || !(await claims.quiet())) return;
    if (!(await sounder.play(settings.value.sound, settings.value.volume))) onBlocked();
  }

  async #show(all: readonly News[], latest: readonly News[]): Promise<void> {
    const { claims, settings, words, isPushed, features } = this.#options;
    if (features().push === false || !settings.value.notify || isPushed() || !canNotify()) return;
    if (!(await claims.claim('show', latest.map(({ message }) => message.id)))) return;
    if (latest.length > MOST_SHOWN) return this.#notify(words().count(all.length), null, null);
    for (const { message } of latest) {
      const conversation = await this.#conversation(message.conversation_id);
      if (settings.value.showText && conversation) this.#notify(nameOf(conversation), words().message(message), message.conversation_id);
      else this.#notify(words().untitled, null, message.conversation_id);
    }
  }

  #notify(title: string, body: string | null, conversationId: number | null): void {
    try {
      const tag = conversationId === null ? 'waba-live-chat' : `waba-live-chat ${conversationId}`;
      const shown = new Notification(title, { tag, silent: true, ...(body !== null && { body }) });
      shown.onclick = () => {
        window.focus();
        shown.close();
        if (conversationId !== null) this.#options.onOpen(conversationId);
      };
    } catch {
      // Phones let only service workers do this.
    }
  }

  /** As it is loaded, else from the server; undefined where that does not answer. */
  async #conversation(id: number): Promise<Conversation | undefined> {
    const { store } = this.#options;
    const known = store.conversation(id);
    if (known) return known;
    try {
      const reply = await store.load((client, signal) => client.get('/api/live-chat/conversations/{id}', { path: { id }, signal }), () => {});
      return reply.conversation;
    } catch {
      return undefined;
    }
  }
}

export function canNotify(): boolean {
  return typeof Notification !== 'undefined' && Notification.permission === 'granted';
}
