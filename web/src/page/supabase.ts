/** Sessions by Supabase: passwords and codes by e-mail; tokens are renewed, and shared by the browser's tabs, by its library. */
import { GoTrueClient, isAuthApiError, isAuthRetryableFetchError, type Session as Tokens } from '@supabase/auth-js';
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

export class SupabaseSessions implements Sessions {
  readonly #client: GoTrueClient;

  constructor({ url, publishableKey }: { url: string; publishableKey: string }) {
    this.#client = new GoTrueClient({
      url: `${url}/auth/v1`,
      headers: { apikey: publishableKey },
      storageKey: 'waba-live-chat.supabase',
      flowType: 'pkce',
      persistSession: true,
      autoRefreshToken: true,
      detectSessionInUrl: true,
    });
  }

  async restore(): Promise<Session | null> {
    const { data } = await this.#client.getSession();
    return data.session && this.#session(data.session);
  }

  subscribe(listener: (session: Session | null) => void): () => void {
    const { data } = this.#client.onAuthStateChange((event, tokens) => {
      if (event === 'SIGNED_OUT') listener(null);
      else if (event === 'SIGNED_IN' && tokens) listener(this.#session(tokens));
    });
    return () => data.subscription.unsubscribe();
  }

  async signInWithPassword(email: string, password: string): Promise<void> {
    const { error } = await this.#client.signInWithPassword({ email, password });
    if (error) throw failure(error);
  }

  /** Sends an e-mail with a code and a link, either of which signs in. */
  async sendCode(email: string): Promise<void> {
    const { error } = await this.#client.signInWithOtp({ email, options: { shouldCreateUser: false, emailRedirectTo: location.origin + location.pathname + location.search } });
    if (error) throw failure(error);
  }

  async signInWithCode(email: string, code: string): Promise<void> {
    const { error } = await this.#client.verifyOtp({ email, token: code, type: 'email' });
    if (error) throw failure(error);
  }

  #session({ user }: Tokens): Session {
    return {
      userId: user.id,
      name: user.email ?? user.id,
      getAccessToken: async ({ forceRefresh }) => {
        const { data, error } = forceRefresh ? await this.#client.refreshSession() : await this.#client.getSession();
        // Nobody is signed out because the network is away.
        if (error && isAuthRetryableFetchError(error)) throw error;
        return data.session?.access_token ?? null;
      },
      signOut: async () => {
        // What is kept here goes whether the service answers or not.
        await this.#client.signOut({ scope: 'local' });
      },
    };
  }
}

function failure(error: Error & { code?: string | undefined; status?: number | undefined }): SignInError {
  if (isAuthRetryableFetchError(error)) return new SignInError('network', error.message);
  if (error.status === 429) return new SignInError('too_many', error.message);
  return new SignInError((isAuthApiError(error) && REASONS[error.code ?? '']) || 'other', error.message);
}
