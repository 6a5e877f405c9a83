/** What the parts of one live chat share: the user's data, the selection, the language and the look. */
import { QueryClientProvider } from '@tanstack/react-query';
import { Direction } from 'radix-ui';
import { createPortal } from 'react-dom';
import { type ReactNode, use, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { GetAccessToken } from './api/client';
import type { Conversation } from './api/types';
import { FormatContext, formatOf } from './i18n/format';
import { browserLocale, directionOf, Language, type OwnTexts } from './i18n/i18n';
import { PictureContext, StoreContext } from './store/context';
import { Store } from './store/store';
import { otherwise } from './ui/announcement';
import { cn } from './ui/cn';
import { type Arrival, type Components, type ComposerHandle, type Features, type ThreadHandle, type Toast, type Ui, UiContext } from './ui/context';
import { deferredQuietly, usePreload } from './ui/deferred';
import { Hints } from './ui/hints';
import { OpenMenu } from './ui/menu';
import type { ShownToast } from './ui/toasts';
import { type Theme, useTheme } from './ui/theme';
import './styles.css';

export type { Theme };

export interface LiveChatProviderProps {
  /** Where the API is, without a path. */
  apiUrl: string;
  /** The signed-in user's access token; null when nobody is signed in. It may change from render to render. */
  getAccessToken: GetAccessToken;
  /** The phone number that is shown, null for all; leave it out, and it is remembered here, beginning with `defaultPhoneNumberId`. */
  phoneNumberId?: string | null;
  defaultPhoneNumberId?: string | null;
  onPhoneNumberChange?: (phoneNumberId: string | null) => void;
  /** The conversation that is open, null for none; leave it out, and it is remembered here, beginning with `defaultConversationId`. */
  conversationId?: number | null;
  defaultConversationId?: number | null;
  onConversationChange?: (conversationId: number | null) => void;
  /** A language tag; the browser's first that there are texts for unless given. There are texts in English, Portuguese, Spanish and Arabic. */
  locale?: string;
  /** The direction of writing; the language's unless given. */
  dir?: 'ltr' | 'rtl';
  /** Texts of your own, by the English text as it stands in the source: `{'Send': 'Reply'}`; placeholders and plurals as in there. */
  messages?: OwnTexts;
  /** An IANA time zone; the browser's unless given. */
  timeZone?: string;
  /** `system` unless given. */
  theme?: Theme;
  features?: Features;
  components?: Components;
  /** Where dialogs, menus and hints are drawn; in the component's own element unless given. */
  portalContainer?: HTMLElement | null;
  /** Where the service worker is that shows notifications; without it there are none. */
  serviceWorkerUrl?: string;
  onUnreadChange?: (unread: number) => void;
  /** A customer wrote. Returning false keeps the component from sounding or showing it itself. */
  onNotification?: (notification: { conversationId: number; phoneNumberId: string; title: string; body: string | null }) => boolean | void;
  /** Something failed that the component could not show in its place. */
  onError?: (error: Error) => void;
  onSessionExpired?: () => void;
  className?: string;
  children?: ReactNode;
}

const Toasts = deferredQuietly(async () => (await import('./ui/toasts')).Toasts);

const NO_FEATURES: Features = {};
const NO_COMPONENTS: Components = {};
const CONTENTS = { display: 'contents' } as const;

export function LiveChatProvider(props: LiveChatProviderProps) {
  const { apiUrl, locale = browserLocale(), timeZone, serviceWorkerUrl, features = NO_FEATURES, components = NO_COMPONENTS } = props;
  const dir = props.dir ?? directionOf(locale);
  const theme = useTheme(props.theme ?? 'system');
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const store = useStoreOf(apiUrl, latest);
  const [phoneNumberId, selectPhoneNumber] = useControlled(props.phoneNumberId, props.defaultPhoneNumberId ?? null, props.onPhoneNumberChange);
  const [conversationId, selectConversation] = useControlled(props.conversationId, props.defaultConversationId ?? null, props.onConversationChange);
  const [contactOpen, setContactOpen] = useState(false);
  const [portal, setPortal] = useState<HTMLElement | null>(null);
  const [announcement, setAnnouncement] = useState('');
  const announce = useCallback((text: string) => setAnnouncement((before) => otherwise(text, before)), []);
  const [toasts, setToasts] = useState<readonly ShownToast[]>([]);
  const composer = useRef<ComposerHandle | null>(null);
  const thread = useRef<ThreadHandle | null>(null);
  const arrival = useRef<Arrival | null>(null);
  const shownConversations = useRef<readonly Conversation[]>([]);
  const toast = useCallback((toast: Toast) => setToasts((toasts) => [...toasts.slice(-2), { ...toast, id: Math.random() }]), []);
  const openConversation = useCallback<Ui['openConversation']>(
    (id, options) => {
      selectConversation(id);
      arrival.current = id === null ? null : { ...options, conversationId: id };
      if (!options) return;
      // A thread that opens takes it by itself; one that is there already is told. The host may take its time to open another.
      requestAnimationFrame(() => {
        const { current } = arrival;
        if (current && thread.current?.conversationId === current.conversationId) {
          arrival.current = null;
          if (current.message !== undefined) thread.current.jumpTo(current.message);
          if (current.focus === 'thread') thread.current.focus();
        }
        if (options.focus === 'composer') composer.current?.focus();
      });
    },
    [selectConversation],
  );
  const ui = useMemo<Ui>(
    () => ({ phoneNumberId, selectPhoneNumber, conversationId, openConversation, locale, dir, timeZone, features, components, portal, announce, toast, composer, thread, arrival, contactOpen, setContactOpen, shownConversations, host: latest, serviceWorkerUrl }),
    [announce, phoneNumberId, selectPhoneNumber, conversationId, openConversation, locale, dir, timeZone, features, components, portal, toast, contactOpen, serviceWorkerUrl],
  );
  return (
    <Language locale={locale} messages={props.messages}>
      <StoreContext value={store}>
        <QueryClientProvider client={store.queries}>
          <UiContext value={ui}>
            <FormatContext value={formatOf(locale, timeZone)}>
              <Direction.Provider dir={dir}>
                <Hints className={cn('wlc', props.className)} data-theme={theme} dir={dir} lang={locale}>
                  {props.children}
                  <div className="lc:sr-only" role="status">
                    {announcement}
                  </div>
                  {props.portalContainer ? (
                    createPortal(<div ref={setPortal} className="wlc" style={CONTENTS} data-theme={theme} dir={dir} lang={locale} />, props.portalContainer)
                  ) : (
                    <div ref={setPortal} style={CONTENTS} />
                  )}
                  <Preloaded />
                  {toasts.length > 0 && <Toasts toasts={toasts} onClose={(id) => setToasts((toasts) => toasts.filter((toast) => toast.id !== id))} />}
                </Hints>
              </Direction.Provider>
            </FormatContext>
          </UiContext>
        </QueryClientProvider>
      </StoreContext>
    </Language>
  );
}

/** What any part may need when the network is away. */
function Preloaded() {
  usePreload(Toasts, OpenMenu);
  return null;
}

/** The store of this user, running as long as this is mounted. */
function useStoreOf(apiUrl: string, latest: { current: LiveChatProviderProps }): Store {
  // Of no use to a store that has begun.
  const picture = useRef(use(PictureContext));
  const store = useMemo(
    () =>
      new Store({
        apiUrl,
        picture: picture.current,
        getAccessToken: (how) => latest.current.getAccessToken(how),
        onSessionExpired: () => latest.current.onSessionExpired?.(),
      }),
    [apiUrl, latest],
  );
  useEffect(() => store.start(), [store]);
  return store;
}

/** A value that is the host's where it gives one, else this component's own. */
function useControlled<T>(given: T | undefined, initial: T, onChange: ((value: T) => void) | undefined): [T, (value: T) => void] {
  const [own, setOwn] = useState(initial);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  const set = useCallback((value: T) => {
    setOwn(value);
    latest.current?.(value);
  }, []);
  return [given === undefined ? own : given, set];
}
