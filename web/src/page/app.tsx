/** The page: what is configured, who is signed in, and the inbox for them. */
import { Trans, useLingui } from '@lingui/react/macro';
import { RotateCw } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { usePageBadge } from '../around';
import { useUnread } from '../hooks/misc';
import { Inbox } from '../live_chat';
import { LiveChatProvider } from '../provider';
import { useStore } from '../store/context';
import { Button } from '../ui/button';
import { deferred, deferredOverlay, usePreload } from '../ui/deferred';
import { Spinner } from '../ui/spinner';
import { useAddress } from './address';
import { type Config, ConfigError, loadConfig } from './config';
import { Card, Frame } from './frame';
import { Header, HeadingBesideThread, SERVICE_WORKER_URL } from './header';
import { useDocumentPreferences, usePreferences } from './preferences';
import { LocalSessions, type Session, type Sessions } from './session';
import type { SignInWays } from './sign_in';

const SignedOut = deferred(async () => (await import('./signed_out')).SignedOut, { Waiting: SignInWaiting });
const Expired = deferredOverlay(async () => (await import('./expired')).Expired);

interface Ready {
  readonly config: Config;
  readonly ways: SignInWays;
  readonly sessions: Sessions;
  readonly session: Session | null;
}

type State = { readonly at: 'loading' } | { readonly at: 'failed'; readonly error: unknown } | ({ readonly at: 'ready' } & Ready);

export function App() {
  const [state, setState] = useState<State>({ at: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const { tag, theme } = usePreferences();
  useDocumentPreferences(tag, theme);
  useEffect(() => {
    let isCurrent = true;
    prepare().then(
      (ready) => isCurrent && setState({ at: 'ready', ...ready }),
      (error: unknown) => isCurrent && setState({ at: 'failed', error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [attempt]);
  if (state.at === 'ready') return <SignedInOrNot {...state} />;
  return (
    <Frame>
      {state.at === 'loading' ? (
        <Starting />
      ) : (
        <Card>
          <Failure error={state.error} onRetry={() => { setState({ at: 'loading' }); setAttempt((attempt) => attempt + 1); }} />
        </Card>
      )}
    </Frame>
  );
}

async function prepare(): Promise<Ready> {
  const config = await loadConfig();
  if (!config.supabase) {
    const local = new LocalSessions();
    return { config, ways: { local, agents: config.agents ?? [] }, sessions: local, session: await local.restore() };
  }
  const { SupabaseSessions } = await import('./supabase');
  const supabase = new SupabaseSessions(config.supabase);
  return { config, ways: { supabase }, sessions: supabase, session: await supabase.restore() };
}

function SignedInOrNot({ config, ways, sessions, session: first }: Ready) {
  const [session, setSession] = useState(first);
  const [isExpired, setExpired] = useState(false);
  const { tag, theme } = usePreferences();
  const address = useAddress();
  useEffect(
    () =>
      sessions.subscribe((next) => {
        setSession(next);
        setExpired(false);
      }),
    [sessions],
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
    <LiveChatProvider
      // Somebody else's inbox begins anew; whoever signs in again goes on in theirs.
      key={session.userId}
      apiUrl={config.apiUrl}
      getAccessToken={session.getAccessToken}
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
