/** The page: what is configured, who is signed in, and the inbox for them. */
import { Trans, useLingui } from '@lingui/react/macro';
import { RotateCw } from 'lucide-react';
import { type ReactNode, StrictMode, useCallback, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { GetAccessToken } from '../api/client';
import { usePageBadge } from '../around';
import { useUnread } from '../hooks/misc';
import { Inbox } from '../live_chat';
import { LiveChatProvider } from '../provider';
import { PictureContext, useStore } from '../store/context';
import { Button } from '../ui/button';
import { deferred, deferredOverlay, usePreload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { useAddress } from './address';
import { ConfigError } from './config';
import { Card, Frame } from './frame';
import { Header, HeadingBesideThread, SERVICE_WORKER_URL } from './header';
import { useDocumentPreferences, usePreferences } from './preferences';
import type { Session } from './session';
import { type Ready, start } from './start';

const SignedOut = deferred(async () => (await import('./signed_out')).SignedOut, { Waiting: SignInWaiting });
const Expired = deferredOverlay(async () => (await import('./expired')).Expired);

type State = { readonly at: 'loading' } | { readonly at: 'failed'; readonly error: unknown } | ({ readonly at: 'ready' } & Ready);

/** Draws the page: with `first` at once, else once it is `ready`. */
export function show(root: HTMLElement, ready: Promise<Ready>, first: Ready | null): void {
  createRoot(root).render(
    <StrictMode>
      <App ready={ready} first={first} />
    </StrictMode>,
  );
}

function App({ ready: begun, first }: { ready: Promise<Ready>; first: Ready | null }) {
  const [state, setState] = useState<State>(first ? { at: 'ready', ...first } : { at: 'loading' });
  const [ready, setReady] = useState(begun);
  const { tag, theme } = usePreferences();
  useDocumentPreferences(tag, theme);
  useEffect(() => {
    let isCurrent = true;
    const follow = async () => {
      try {
        const next = await ready;
        if (isCurrent && next !== first) setState({ at: 'ready', ...next });
        await next.confirmed;
      } catch (error) {
        if (isCurrent) setState({ at: 'failed', error });
      }
    };
    void follow();
    return () => {
      isCurrent = false;
    };
  }, [ready, first]);
  if (state.at === 'ready') return <SignedInOrNot {...state} />;
  return (
    <Frame>
      {state.at === 'loading' ? (
        <Starting />
      ) : (
        <Card>
          <Failure error={state.error} onRetry={() => { setState({ at: 'loading' }); setReady(start()); }} />
        </Card>
      )}
    </Frame>
  );
}

function SignedInOrNot({ config, confirmed, ways, sessions, session: first, picture: firstPicture }: Ready) {
  const [session, setSession] = useState(first);
  const [picture, setPicture] = useState(firstPicture);
  const [isExpired, setExpired] = useState(false);
  const { tag, theme } = usePreferences();
  const address = useAddress();
  useEffect(
    () =>
      sessions.subscribe((next) => {
        setSession(next);
        // What was shown is gone with who signs out.
        setPicture(null);
        setExpired(false);
      }),
    [sessions],
  );
  const getAccessToken = useCallback<GetAccessToken>(
    async (how) => {
      await confirmed;
      return session ? session.getAccessToken(how) : null;
    },
    [confirmed, session],
  );
  if (!session) {
    return (
      <Frame>
        <Card>
          <SignedOut ways={ways} />
        </Card>
      </Frame>
    );
  }
  return (
    <PictureContext value={picture}>
      <LiveChatProvider
        // Somebody else's inbox begins anew; whoever signs in again goes on in theirs.
        key={session.userId}
        apiUrl={config.apiUrl}
        getAccessToken={getAccessToken}
        conversationId={address.conversationId}
        onConversationChange={address.openConversation}
        phoneNumberId={address.phoneNumberId}
        onPhoneNumberChange={address.selectPhoneNumber}
        locale={tag}
        theme={theme}
        serviceWorkerUrl={SERVICE_WORKER_URL}
        onSessionExpired={() => setExpired(true)}
      >
        <Badge />
        <div className="lc:@container lc:flex lc:h-full lc:flex-col">
          <Header session={session} simulatorUrl={config.simulatorUrl} />
          <main className="lc:min-h-0 lc:grow">
            <HeadingBesideThread />
            <Inbox />
          </main>
        </div>
        <Returning session={session} />
        {isExpired && <Expired ways={ways} onClose={() => setExpired(false)} />}
      </LiveChatProvider>
    </PictureContext>
  );
}

/** As high as the form, so that the card does not jump. */
function SignInWaiting() {
  return (
    <div className="lc:grid lc:h-80 lc:place-items-center">
      <Spinner />
    </div>
  );
}

/** Whoever was signed out and is back does not wait for the next poll. */
function Returning({ session }: { session: Session }): ReactNode {
  const store = useStore();
  usePreload(Expired);
  const known = useRef(session);
  useEffect(() => {
    if (known.current === session) return;
    known.current = session;
    // It fails only where this is closed first.
    store.live.catchUp().catch(() => {});
  }, [session, store]);
  return null;
}

/** The title with the number of unread messages: of all the agent's numbers, whichever is shown. */
function Badge(): ReactNode {
  const { t } = useLingui();
  usePageBadge(useUnread(), t`Live chat`);
  return null;
}

function Starting() {
  const { t } = useLingui();
  return (
    <div className="lc:grid lc:h-full lc:place-items-center lc:bg-wall">
      <Spinner label={t`Loading`} />
    </div>
  );
}

function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useLingui();
  const { reason, key } = error instanceof ConfigError ? error : { reason: 'network' as const, key: null };
  const texts = {
    network: t`The server cannot be reached. Check your connection, and try again.`,
    unreadable: t`There is no readable file config.json beside this page.`,
    missing: t`config.json has no ${key}.`,
    invalid: t`config.json has a ${key} that is of no use.`,
  };
  return (
    <section className="lc:flex lc:flex-col lc:items-start lc:gap-4">
      <h1 className="lc:text-2xl lc:font-semibold">
        <Trans>Live chat cannot start</Trans>
      </h1>
      <p role="alert">{texts[reason]}</p>
      {reason !== 'network' && (
        <p className="lc:text-soft">
          <Trans>Whoever looks after this page finds what belongs into that file in docs/WEB.md.</Trans>
        </p>
      )}
      <Button tone="accent" onClick={onRetry}>
        <RotateCw aria-hidden className="lc:size-4.5" />
        <Trans>Try again</Trans>
      </Button>
    </section>
  );
}
