/** Sessions by Supabase: passwords and codes by e-mail; tokens are renewed, and shared by the browser's tabs, by its library. */
import { GoTrueClient, isAuthApiError, isAuthRetryableFetchError } from '@supabase/auth-js';
import { textOf } from './kept';
import { type Session, SignInError, type SignInReason, type Sessions } from './session';

const REASONS: Record<string, SignInReason> = {
  invalid_credentials: 'credentials',
  otp_expired: 'code',
  otp_disabled: 'address',
  user_not_found: 'address',
  validation_failed: 'address',
  email_address_invalid: 'address',
  email_address_not_authorized: 'address',
  signup_disabled: 'address',
  email_not_confirmed: 'unconfirmed',
  over_request_rate_limit: 'too_many',
  over_email_send_rate_limit: 'too_many',
};

const STORAGE_KEY = 'waba-live-chat.supabase';

export class SupabaseSessions implements Sessions {
  /** As it begins it may renew a session: that is sent to nobody before the configuration is `confirmed`. */
  readonly #client: Promise<GoTrueClient>;

  constructor({ url, publishableKey }: { url: string; publishableKey: string }, confirmed: Promise<void>) {
    this.#client = confirmed.then(
      () =>
        new GoTrueClient({
          url: `${url}/auth/v1`,
          headers: { apikey: publishableKey },
          storageKey: STORAGE_KEY,
          flowType: 'pkce',
          persistSession: true,
          autoRefreshToken: true,
          detectSessionInUrl: true,
        }),
    );
    // Who waits for it hears of it.
    this.#client.catch(() => {});
  }

  /** Whose session is kept, without asking whether it still holds: `subscribe` tells where it does not. */
  async restore(): Promise<Session | null> {
    const user = keptUser();
    if (user && !isSignInLink(location.href)) return this.#session(user);
    const { data } = await (await this.#client).getSession();
    return data.session && this.#session(data.session.user);
  }

  subscribe(listener: (session: Session | null) => void): () => void {
    let end = () => {};
    let isOver = false;
    const follow = async () => {
      const client = await this.#client;
      if (isOver) return;
      const { data } = client.onAuthStateChange((event, tokens) => {
        if (event === 'SIGNED_OUT') listener(null);
        else if (event === 'SIGNED_IN' && tokens) listener(this.#session(tokens.user));
      });
      end = () => data.subscription.unsubscribe();
      const { data: found, error } = await client.getSession();
      if (!isOver && !found.session && !(error && isAuthRetryableFetchError(error))) listener(null);
    };
    follow().catch(() => {});
    return () => {
      isOver = true;
      end();
    };
  }

  async signInWithPassword(email: string, password: string): Promise<void> {
    const { error } = await (await this.#client).signInWithPassword({ email, password });
    if (error) throw failure(error);
  }

  /** Sends an e-mail with a code and a link, either of which signs in. */
  async sendCode(email: string): Promise<void> {
    const { error } = await (await this.#client).signInWithOtp({ email, options: { shouldCreateUser: false, emailRedirectTo: location.origin + location.pathname + location.search } });
    if (error) throw failure(error);
  }

  async signInWithCode(email: string, code: string): Promise<void> {
    const { error } = await (await this.#client).verifyOtp({ email, token: code, type: 'email' });
    if (error) throw failure(error);
  }

  #session({ id, email }: KeptUser): Session {
    return {
      userId: id,
      name: email ?? id,
      getAccessToken: async ({ forceRefresh }) => {
        const client = await this.#client;
        const { data, error } = forceRefresh ? await client.refreshSession() : await client.getSession();
        // Nobody is signed out because the network is away.
        if (error && isAuthRetryableFetchError(error)) throw error;
        return data.session?.access_token ?? null;
      },
      signOut: async () => {
        // What is kept here goes whether the service answers or not.
        await (await this.#client).signOut({ scope: 'local' });
      },
    };
  }
}

interface KeptUser {
  readonly id: string;
  readonly email?: string | null | undefined;
}

/** Of the session that the library keeps. */
function keptUser(): KeptUser | null {
  try {
    const { user } = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as { user?: unknown };
    const id = textOf(user, 'id');
    return id === null ? null : { id, email: textOf(user, 'email') };
  } catch {
    return null;
  }
}

/** Whether whoever opens this address is signed in by it, perhaps as somebody else. */
function isSignInLink(address: string): boolean {
  return /[?&#](code|access_token|error)=/.test(address);
}

function failure(error: Error & { code?: string | undefined; status?: number | undefined }): SignInError {
  if (isAuthRetryableFetchError(error)) return new SignInError('network', error.message);
  if (error.status === 429) return new SignInError('too_many', error.message);
  return new SignInError((isAuthApiError(error) && REASONS[error.code ?? '']) || 'other', error.message);
}
