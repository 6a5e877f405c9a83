// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Change, Conversation } from '../../src/api/types';
import { Alerts } from '../../src/around/alerts';
import { type ClaimLocks, Claims } from '../../src/around/claims';
import { SettingsStore } from '../../src/around/settings';
import type { LiveEvent, State } from '../../src/core/live';
import type { Store } from '../../src/store/store';
import type { Host } from '../../src/ui/context';

/** Web Locks of one browser, as far as they are used. */
class Locks implements ClaimLocks {
  readonly #held: string[] = [];

  query() {
    return Promise.resolve({ held: this.#held.map((name) => ({ name })) });
  }

  async request(name: string, { ifAvailable, mode }: LockOptions, hold: (lock: unknown) => unknown) {
    if (ifAvailable && mode !== 'shared' && this.#held.includes(name)) return hold(null);
    this.#held.push(name);
    const result = await hold({ name });
    this.#held.splice(this.#held.indexOf(name), 1);
    return result;
  }
}

function tab({ locks = new Locks(), host = {}, looking = { conversationId: null }, isAllowed = true }: { locks?: Locks; host?: Host; looking?: { conversationId: number | null } | null; isAllowed?: boolean } = {}) {
  let listener: (event: LiveEvent) => void = () => {};
  const status = { state: 'live' as State, upToDateAt: null };
  const store = {
    live: { status, subscribe: (given: typeof listener) => ((listener = given), () => (listener = () => {})) },
    conversation: (id: number) => ({ id, customer_name: `Customer ${id}`, phone_number_id: '5' }) as Conversation,
  } as unknown as Store;
  const play = vi.fn(() => Promise.resolve(true));
  const onBlocked = vi.fn();
  const claims = new Claims('ada', locks);
  claims.look(looking);
  const settings = new SettingsStore();
  const alerts = new Alerts({
    store,
    settings,
    claims,
    sounder: { play, isAllowed },
    host: { current: host },
    words: () => ({ message: ({ content }) => content ?? '', count: (count) => `${count} new`, untitled: 'New message' }),
    features: () => ({}),
    isPushed: () => false,
    onOpen: () => {},
    onBlocked,
  });
  const stop = alerts.start();
  const is = (state: State) => {
    status.state = state;
    listener({ type: 'status', status: { state, upToDateAt: null } });
  };
  const hears = (...changes: Change[]) => listener({ type: 'changes', changes });
  return { play, onBlocked, settings, is, hears, stop, claims };
}

let lastId = 0;
function message(conversationId = 1, content = 'Hello'): Change {
  lastId += 1;
  const message = { id: lastId, conversation_id: conversationId, sender: 'customer', message_type: 'text', status: 'delivered', timestamp: new Date().toISOString(), reactions: [], content };
  return { type: 'message.created', truncated: false, phone_number_id: '5', message };
}

/** All that was begun is done: there are no timers in it. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

function setVisibility(state: DocumentVisibilityState): void {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
}

const shown: { title: string; body: string | undefined }[] = [];

beforeEach(() => {
  setVisibility('visible');
  shown.length = 0;
  class Shown {
    static permission = 'granted';
    onclick: (() => void) | null = null;
    constructor(title: string, { body }: NotificationOptions) {
      shown.push({ title, body });
    }
    close() {}
  }
  vi.stubGlobal('Notification', Shown);
  return () => vi.unstubAllGlobals();
});

describe('a sound', () => {
  it('is played for a message that arrives', async () => {
    const { hears, play } = tab();
    hears(message());
    await settled();
    expect(play).toHaveBeenCalledOnce();
  });

  it('is played once for messages in quick succession', async () => {
    const { hears, play } = tab();
    hears(message());
    hears(message(2), message(3));
    await settled();
    expect(play).toHaveBeenCalledOnce();
  });

  it('is played by one of two tabs that are looked at', async () => {
    const locks = new Locks();
    const [one, other] = [tab({ locks }), tab({ locks })];
    const change = message();
    one.hears(change);
    other.hears(change);
    await settled();
    expect(one.play.mock.calls.length + other.play.mock.calls.length).toBe(1);
  });

  it('is left to the tab that is looked at by those that are hidden', async () => {
    const locks = new Locks();
    tab({ locks });
    const hidden = tab({ locks, looking: null });
    setVisibility('hidden');
    hidden.hears(message());
    await settled();
    expect(hidden.play).not.toHaveBeenCalled();
  });

  it('is played by a hidden tab when nobody looks at any', async () => {
    const { hears, play } = tab({ looking: null });
    setVisibility('hidden');
    hears(message());
    await settled();
    expect(play).toHaveBeenCalledOnce();
  });

  it('is not played for the conversation that the agent sees, in whatever tab', async () => {
    const locks = new Locks();
    const seeing = tab({ locks, looking: { conversationId: 7 } });
    const other = tab({ locks });
    const change = message(7);
    seeing.hears(change);
    other.hears(change);
    await settled();
    expect(seeing.play).not.toHaveBeenCalled();
    expect(other.play).not.toHaveBeenCalled();
  });

  it('is played once for all that came during a cut, when the page is up to date again', async () => {
    const { hears, is, play } = tab();
    is('offline');
    hears(message(1));
    hears(message(2), message(3));
    await settled();
    expect(play).not.toHaveBeenCalled();
    is('live');
    await settled();
    expect(play).toHaveBeenCalledOnce();
  });

  it('is not played while muted, for a silent number, or when the host says no', async () => {
    const muted = tab();
    muted.settings.change({ mutedUntil: Date.now() + 60_000 });
    const silent = tab();
    silent.settings.change({ silentNumbers: ['5'] });
    const refused = tab({ host: { onNotification: () => false } });
    for (const one of [muted, silent, refused]) one.hears(message());
    await settled();
    for (const one of [muted, silent, refused]) expect(one.play).not.toHaveBeenCalled();
  });

  it('that the browser blocks is explained', async () => {
    const { hears, play, onBlocked } = tab({ isAllowed: false });
    hears(message());
    await settled();
    expect(play).not.toHaveBeenCalled();
    expect(onBlocked).toHaveBeenCalledOnce();
  });

  it('is played no more once it has ended', async () => {
    const { hears, play, stop } = tab();
    stop();
    hears(message());
    await settled();
    expect(play).not.toHaveBeenCalled();
  });
});

describe('the host', () => {
  it('is told who wrote what', async () => {
    const onNotification = vi.fn();
    const { hears } = tab({ host: { onNotification } });
    hears(message(4, 'Where is it?'));
    await settled();
    expect(onNotification).toHaveBeenCalledExactlyOnceWith({ conversationId: 4, phoneNumberId: '5', title: 'Customer 4', body: 'Where is it?' });
  });
});

describe('a notification', () => {
  const hidden = () => {
    const one = tab({ looking: null });
    one.settings.change({ notify: true });
    setVisibility('hidden');
    return one;
  };

  it('is shown while nobody looks', async () => {
    hidden().hears(message(4, 'Where is it?'));
    await settled();
    expect(shown).toEqual([{ title: 'Customer 4', body: 'Where is it?' }]);
  });

  it('is not shown to someone who looks, or who did not ask for it', async () => {
    const looking = tab();
    looking.settings.change({ notify: true });
    looking.hears(message());
    await settled();
    const unasked = tab({ looking: null });
    setVisibility('hidden');
    unasked.hears(message());
    await settled();
    expect(shown).toEqual([]);
  });

  it('shows neither name nor text where that is not wanted', async () => {
    const one = hidden();
    one.settings.change({ showText: false });
    one.hears(message(4, 'Secret'));
    await settled();
    expect(shown).toEqual([{ title: 'New message', body: undefined }]);
  });

  it('counts where many customers wrote', async () => {
    hidden().hears(message(1), message(2), message(3), message(4), message(4));
    await settled();
    expect(shown).toEqual([{ title: '5 new', body: undefined }]);
  });
});
