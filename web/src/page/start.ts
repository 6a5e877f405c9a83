/** What the page begins with: what is configured, who is signed in, and what they were shown last. */
import { paramsOf } from '../list/filters';
import { diskName } from '../store/disk';
import { keys } from '../store/keys';
import { type Picture, readPicture } from '../store/picture';
import { currentAddress } from './address';
import { type Config, ConfigError, loadConfig, parseConfig } from './config';
import { Kept } from './kept';
import { LocalSessions, type Session, type Sessions } from './session';
import type { SignInWays } from './sign_in';

export interface Ready {
  readonly config: Config;
  /** Resolves once that is known to be what is configured now: nothing is sent before. Rejects where the page cannot go on with it. */
  readonly confirmed: Promise<void>;
  readonly ways: SignInWays;
  readonly sessions: Sessions;
  readonly session: Session | null;
  readonly picture: Picture | null;
}

/** What config.json said last: with it the page draws what is kept before the network answers. */
const answer = new Kept<Record<string, unknown> | null>('config', (value) => (typeof value === 'object' ? (value as Record<string, unknown> | null) : null));

export async function start(): Promise<Ready> {
  const kept = lastConfig();
  const asked = loadConfig().then((value) => {
    const config = parseConfig(value);
    answer.set(value);
    return config;
  });
  const config = kept ?? (await asked);
  const confirmed = kept ? confirm(kept, asked) : Promise.resolve();
  // Who waits for it hears of it.
  confirmed.catch(() => {});
  const { ways, sessions } = await sessionsOf(config, confirmed);
  const session = await sessions.restore();
  if (session) return { config, confirmed, ways, sessions, session, picture: await pictureOf(config, session) };
  // Nothing is there to be drawn, and where one signs in has to be certain.
  await asked;
  await confirmed;
  return { config, confirmed, ways, sessions, session, picture: null };
}

function lastConfig(): Config | null {
  const value = answer.get();
  try {
    return value && parseConfig(value);
  } catch {
    // Another release may want more of it.
    return null;
  }
}

/** Whoever is signed in is so by this configuration: the page of another one begins anew. */
async function confirm(kept: Config, asked: Promise<Config>): Promise<void> {
  try {
    if (JSON.stringify(await asked) === JSON.stringify(kept)) return;
  } catch (error) {
    // The network is away: it is as it was.
    if (error instanceof ConfigError && error.reason === 'network') return;
    answer.set(null);
    throw error;
  }
  // Without it, so that a browser that keeps nothing new does not begin anew for ever.
  answer.set(null);
  location.reload();
  await new Promise(() => {});
}

async function sessionsOf(config: Config, confirmed: Promise<void>): Promise<{ ways: SignInWays; sessions: Sessions }> {
  if (config.supabase) {
    const { SupabaseSessions } = await import('./supabase');
    const supabase = new SupabaseSessions(config.supabase, confirmed);
    return { ways: { supabase }, sessions: supabase };
  }
  const local = new LocalSessions();
  return { ways: { local, agents: config.agents ?? [] }, sessions: local };
}

/** The list that the page opens with, and the conversation that its address names. */
async function pictureOf({ apiUrl }: Config, { userId }: Session): Promise<Picture | null> {
  const { conversationId, phoneNumberId } = currentAddress();
  const list = keys.conversations(paramsOf('all', 'recent', phoneNumberId));
  const wanted = [keys.phoneNumbers(), list, ...(conversationId === null ? [] : [keys.thread(conversationId)])];
  return readPicture(diskName(apiUrl, userId), wanted).catch(() => null);
}
