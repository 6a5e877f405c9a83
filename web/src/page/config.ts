/** Where everything is: `/config.json`, read at run time, so that one build serves every installation. */

/** Somebody who is signed in by a click on a developer's machine. */
export interface Agent {
  readonly name: string;
  readonly token: string;
}

export interface Config {
  /** Without a path at its end; empty where the API is behind the page's own address. */
  readonly apiUrl: string;
  /** Who signs agents in; null on a local stack. */
  readonly supabase: { readonly url: string; readonly publishableKey: string } | null;
  /** The local stack's agents; null elsewhere. */
  readonly agents: readonly Agent[] | null;
  /** The local stack's customers' phone. */
  readonly simulatorUrl: string | null;
}

/** Why there is no configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** `network`: no answer; `unreadable`: no JSON; `missing`, `invalid`: see `key`. */
  readonly reason: 'network' | 'unreadable' | 'missing' | 'invalid';
  readonly key: string | null;

  constructor(reason: ConfigError['reason'], key: string | null = null) {
    super(`config.json: ${reason}${key === null ? '' : ` ${key}`}`);
    this.reason = reason;
    this.key = key;
  }
}

/** What takes longer counts as no answer. */
const LONGEST_MS = 15_000;

/** What config.json says, for `parseConfig`. */
export async function loadConfig(get: typeof fetch = fetch): Promise<Readonly<Record<string, unknown>>> {
  let answer: Response;
  try {
    answer = await get('/config.json', { cache: 'no-cache', signal: AbortSignal.timeout(LONGEST_MS) });
  } catch {
    throw new ConfigError('network');
  }
  // A host of single-page apps answers with the page itself where there is no such file.
  const value = answer.ok ? await answer.json().catch(() => null) : null;
  if (typeof value !== 'object' || value === null) throw new ConfigError('unreadable');
  return value as Record<string, unknown>;
}

export function parseConfig(value: Readonly<Record<string, unknown>>): Config {
  const apiUrl = text(value, 'api_url');
  if (apiUrl !== '' && !isUrl(apiUrl)) throw new ConfigError('invalid', 'api_url');
  const agents = agentsOf(value['agents']);
  const simulatorUrl = value['simulator_url'] === undefined ? null : text(value, 'simulator_url');
  if (simulatorUrl !== null && !isUrl(simulatorUrl)) throw new ConfigError('invalid', 'simulator_url');
  const isLocal = agents !== null && value['supabase_url'] === undefined;
  return { apiUrl: apiUrl.replace(/\/+$/, ''), supabase: isLocal ? null : supabaseOf(value), agents, simulatorUrl };
}

function supabaseOf(value: Readonly<Record<string, unknown>>): Config['supabase'] {
  const url = text(value, 'supabase_url');
  if (!isUrl(url)) throw new ConfigError('invalid', 'supabase_url');
  const publishableKey = text(value, 'supabase_publishable_key');
  if (publishableKey === '') throw new ConfigError('invalid', 'supabase_publishable_key');
  return { url: url.replace(/\/+$/, ''), publishableKey };
}

function agentsOf(value: unknown): readonly Agent[] | null {
  if (value === undefined) return null;
  const isAgent = (agent: unknown): agent is Agent =>
    typeof agent === 'object' && agent !== null && 'name' in agent && 'token' in agent && typeof agent.name === 'string' && typeof agent.token === 'string';
  if (!Array.isArray(value) || !value.every(isAgent)) throw new ConfigError('invalid', 'agents');
  return value;
}

function text(value: Readonly<Record<string, unknown>>, key: string): string {
  const found = value[key];
  if (found === undefined || found === null) throw new ConfigError('missing', key);
  if (typeof found !== 'string') throw new ConfigError('invalid', key);
  return found;
}

function isUrl(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value);
}
