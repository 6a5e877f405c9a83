/** A typed `fetch` for the API: a path and a method decide what goes in and what comes out. */
import { type Clock, LONGEST_RETRY_AFTER_MS, systemClock } from '../core/clock';
import type { Message, paths } from './types';

/** Gives the signed-in user's access token, null when nobody is signed in. A rejection means "not now": it is tried again. */
export type GetAccessToken = (options: { forceRefresh: boolean }) => Promise<string | null>;

export interface ClientOptions {
  /** Where the API is, without a path. */
  apiUrl: string;
  getAccessToken: GetAccessToken;
  fetch?: typeof fetch;
  clock?: Clock;
  /** How long an answer may take, and the token before it, in milliseconds. */
  timeout?: number;
}

/** Why a request has no answer, or not the one that was hoped for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What to branch on. Without an answer: `network`, `timeout`, or `no_token`. */
  readonly code: string;
  /** The field that was not accepted. */
  readonly field: string | undefined;
  /** How many seconds the server wants to be left alone, ten minutes at the most. */
  readonly retryAfter: number | undefined;
  /** `error` of the reply as it came. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Of `message_failed`: the message as it stands. */
  readonly failed: Message | undefined;

  constructor(status: number, details: Record<string, unknown>, retryAfter?: number, failed?: Message) {
    super(typeof details['message'] === 'string' ? details['message'] : `The API answered ${status}`);
    this.status = status;
    this.code = typeof details['code'] === 'string' ? details['code'] : `http_${status}`;
    this.field = typeof details['field'] === 'string' ? details['field'] : undefined;
    this.retryAfter = retryAfter;
    this.details = details;
    this.failed = failed;
  }

  /** Whether the user has to sign in again. */
  get isSessionExpired(): boolean {
    return this.status === 401;
  }
}

type Method = 'get' | 'post' | 'patch' | 'delete';
/** The paths that have this method. */
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: object } } ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;
type Parameters<O, Place extends string> = O extends { parameters: { [K in Place]?: infer V } } ? NonNullable<V> : never;
type Body<O> = O extends { requestBody?: infer B } ? (NonNullable<B> extends { content: { 'application/json': infer J } } ? J : never) : never;
type Answer<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 ? (R[S] extends { content: { 'application/json': infer J } } ? J : never) : never }[keyof R]
  : never;

/** A field of a request that the route does not have may not be given; one that it needs must be. */
type Given<Name extends string, T> = [T] extends [never] ? object : object extends T ? { [K in Name]?: T } : { [K in Name]: T };
export type RequestOptions<P extends keyof paths, M extends Method> = Given<'path', Parameters<Operation<P, M>, 'path'>> &
  Given<'query', Parameters<Operation<P, M>, 'query'>> &
  Given<'body', Body<Operation<P, M>>> & { signal?: AbortSignal };
type Optional<T> = object extends T ? [options?: T] : [options: T];

/** What a route answers. */
export type Reply<P extends keyof paths, M extends Method> = Answer<Operation<P, M>>;

interface Plain {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;

/** Asks the API. Failures are [`ApiError`]; a request that its `signal` ends rejects with the signal's reason. */
export class Client {
  readonly #url: string;
  readonly #options: ClientOptions;
  readonly #fetch: typeof fetch;
  readonly #clock: Clock;
  /** Requests that are refused together refresh the token once. */
  #refresh: Promise<string | null> | null = null;

  constructor(options: ClientOptions) {
    this.#url = options.apiUrl.replace(/\/+$/, '');
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#clock = options.clock ?? systemClock;
  }

  get<P extends PathOf<'get'>>(path: P, ...[options]: Optional<RequestOptions<P, 'get'>>): Promise<Reply<P, 'get'>> {
    return this.#request('GET', path, options as Plain) as Promise<Reply<P, 'get'>>;
  }

  post<P extends PathOf<'post'>>(path: P, ...[options]: Optional<RequestOptions<P, 'post'>>): Promise<Reply<P, 'post'>> {
    return this.#request('POST', path, options as Plain) as Promise<Reply<P, 'post'>>;
  }

  patch<P extends PathOf<'patch'>>(path: P, ...[options]: Optional<RequestOptions<P, 'patch'>>): Promise<Reply<P, 'patch'>> {
    return this.#request('PATCH', path, options as Plain) as Promise<Reply<P, 'patch'>>;
  }

  delete<P extends PathOf<'delete'>>(path: P, ...[options]: Optional<RequestOptions<P, 'delete'>>): Promise<Reply<P, 'delete'>> {
    return this.#request('DELETE', path, options as Plain) as Promise<Reply<P, 'delete'>>;
  }

  /** What `getAccessToken` gives, within the time of a request and failing as one. */
  token(signal?: AbortSignal): Promise<string> {
    return this.#token(false, signal);
  }

  async #request(method: string, path: string, options: Plain = {}): Promise<unknown> {
    const url = this.#url + address(path, options);
    const first = await this.#send(method, url, await this.token(options.signal), options);
    if (first.status !== 401) return answer(first);
    return answer(await this.#send(method, url, await this.#token(true, options.signal), options));
  }

  async #token(forceRefresh: boolean, signal?: AbortSignal): Promise<string> {
    const none = noAnswer('no_token', 'The access token cannot be had at present');
    const get = () => this.#options.getAccessToken({ forceRefresh });
    let refresh: Promise<string | null> | null = null;
    let token: string | null;
    try {
      token = await this.#inTime(() => (forceRefresh ? (refresh = this.#refresh ??= get()) : get()), none, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause instanceof ApiError ? cause : none;
    } finally {
      // Also when it was in vain: nobody else is to wait for it.
      if (this.#refresh === refresh) this.#refresh = null;
    }
    if (!token) throw new ApiError(401, { code: 'no_token', message: 'Nobody is signed in' });
    return token;
  }

  /** One exchange, its body read to the end within the time. */
  async #send(method: string, url: string, token: string, { body, signal }: Plain): Promise<Received> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init: RequestInit = { method, headers, cache: 'no-store', credentials: 'omit' };
    if (body !== undefined) init.body = JSON.stringify(body);
    const exchange = async (signal: AbortSignal) => {
      const response = await this.#fetch(url, { ...init, signal });
      const retryAfter = seconds(response.headers.get('retry-after'), this.#clock.now());
      return { status: response.status, text: await response.text(), retryAfter };
    };
    try {
      return await this.#inTime(exchange, noAnswer('timeout', 'The API did not answer in time'), signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause instanceof ApiError ? cause : noAnswer('network', 'The API cannot be reached');
    }
  }

  /** What `work` comes to, unless that takes too long, which is `late`, or `signal` ends it. Its own signal tells it of both. */
  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>, late: ApiError, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const stop = () => controller.abort(signal?.reason);
    const ended = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error));
    });
    signal?.addEventListener('abort', stop);
    const forget = this.#clock.after(this.#options.timeout ?? TIMEOUT_MS, () => controller.abort(late));
    try {
      return await Promise.race([work(controller.signal), ended]);
    } finally {
      forget();
      signal?.removeEventListener('abort', stop);
    }
  }
}

interface Received {
  status: number;
  text: string;
  retryAfter: number | undefined;
}

function address(path: string, { path: values = {}, query = {} }: Plain): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.append(name, String(value));
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}

function noAnswer(code: 'network' | 'timeout' | 'no_token', message: string): ApiError {
  return new ApiError(0, { code, message });
}

function answer({ status, text, retryAfter }: Received): unknown {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // API Gateway's own answers are not always JSON.
  }
  if (status >= 200 && status < 300) {
    if (typeof body === 'object' && body !== null) return body;
    throw noAnswer('network', 'The answer did not arrive whole');
  }
  const { error, message } = (body ?? {}) as { error?: unknown; message?: unknown };
  const failed = typeof message === 'object' && message !== null ? (message as Message) : undefined;
  throw new ApiError(status, typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}, retryAfter, failed);
}

/** `Retry-After` is a number of seconds or a date. */
function seconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const number = Number(header);
  const wanted = Number.isNaN(number) ? (Date.parse(header) - now) / 1000 : number;
  return Number.isNaN(wanted) ? undefined : Math.min(Math.max(0, wanted), LONGEST_RETRY_AFTER_MS / 1000);
}
