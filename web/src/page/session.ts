/** Who is signed in, whatever signed them in. */
import type { GetAccessToken } from '../api/client';
import { Kept, textOf } from './kept';

export interface Session {
  /** The token's user. */
  readonly userId: string;
  /** What they are called in the menu. */
  readonly name: string;
  readonly getAccessToken: GetAccessToken;
  signOut(): Promise<void>;
}

/** Where sessions come from. */
export interface Sessions {
  /** The session of an earlier visit, null when there is none. */
  restore(): Promise<Session | null>;
  /** Calls `listener` when someone signed in or out here or in another tab; what it returns ends that. */
  subscribe(listener: (session: Session | null) => void): () => void;
}

/** Why nobody was signed in: texts for these are in `sign_in.tsx`. */
export type SignInReason = 'credentials' | 'code' | 'address' | 'unconfirmed' | 'network' | 'too_many' | 'not_a_token' | 'expired_token' | 'other';

export class SignInError extends Error {
  override readonly name = 'SignInError';
  readonly reason: SignInReason;

  constructor(reason: SignInReason, message: string = reason) {
    super(message);
    this.reason = reason;
  }
}

/** What an access token says of its user; null where it is none. Nothing is verified: that is the API's business. */
export function claimsOf(token: string): { readonly userId: string; readonly email: string | null; readonly expiresAt: number | null } | null {
  const part = token.split('.')[1];
  if (part === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const userId = textOf(claims, 'sub');
    const expiry = (claims as Record<string, unknown>)['exp'];
    return userId === null ? null : { userId, email: textOf(claims, 'email'), expiresAt: typeof expiry === 'number' ? expiry * 1000 : null };
  } catch {
    return null;
  }
}

/** A local stack's sessions: a token that was given, kept in this browser. */
export class LocalSessions implements Sessions {
  readonly #kept = new Kept<{ readonly name: string; readonly token: string } | null>('session', (value) => {
    const [name, token] = [textOf(value, 'name'), textOf(value, 'token')];
    return name === null || token === null ? null : { name, token };
  });

  restore(): Promise<Session | null> {
    return Promise.resolve(this.#session());
  }

  subscribe(listener: (session: Session | null) => void): () => void {
    return this.#kept.subscribe(() => listener(this.#session()));
  }

  /** Throws [`SignInError`]. */
  signIn(token: string, name?: string): void {
    const claims = claimsOf(token.trim());
    if (!claims) throw new SignInError('not_a_token');
    if (claims.expiresAt !== null && claims.expiresAt < Date.now()) throw new SignInError('expired_token');
    this.#kept.set({ name: name ?? claims.email ?? claims.userId, token: token.trim() });
  }

  #session(): Session | null {
    const kept = this.#kept.get();
    const claims = kept && claimsOf(kept.token);
    if (!kept || !claims) return null;
    return {
      userId: claims.userId,
      name: kept.name,
      getAccessToken: () => Promise.resolve(this.#kept.get()?.token ?? null),
      signOut: () => {
        this.#kept.set(null);
        return Promise.resolve();
      },
    };
  }
}
