import { describe, expect, test, vi } from 'vitest';
import { ApiError, Client, type GetAccessToken } from '../src/core/index';
import { systemClock } from '../src/core/clock';
import { VirtualClock } from './model/time';

type Answer = Response | Error | 'never';

/** A client whose answers are given, one a request. */
function setUp(answers: Answer[], getAccessToken: GetAccessToken = ({ forceRefresh }) => Promise.resolve(forceRefresh ? 'new' : 'old')) {
  const clock = new VirtualClock();
  const asked: { url: string; init: RequestInit }[] = [];
  const fetch: typeof globalThis.fetch = (url, init = {}) => {
    asked.push({ url: String(url), init });
    const answer = answers.shift() ?? new Error('asked too often');
    if (answer instanceof Response) return Promise.resolve(answer);
    if (answer instanceof Error) return Promise.reject(answer);
    return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))));
  };
  return { clock, asked, client: new Client({ apiUrl: 'https://api.test/', getAccessToken, fetch, clock }) };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => new Response(JSON.stringify(body), { status, headers });
const failure = (status: number, error: object, headers = {}) => json({ success: false, error }, status, headers);
const tokens = (asked: { init: RequestInit }[]) => asked.map(({ init }) => new Headers(init.headers).get('authorization'));

describe('a request', () => {
  test('has its path and query filled in, and its body as JSON', async () => {
    const { client, asked } = setUp([json({ success: true }), json({ success: true })]);
    await client.get('/api/live-chat/messages', { query: { conversation_id: 7, before: 'a&b' } });
    await client.patch('/api/live-chat/conversations/{id}', { path: { id: 7 }, body: { status: 'archived' } });
    expect(asked.map(({ url }) => url)).toEqual([
      'https://api.test/api/live-chat/messages?conversation_id=7&before=a%26b',
      'https://api.test/api/live-chat/conversations/7',
    ]);
    expect(asked[1]?.init).toMatchObject({ method: 'PATCH', body: '{"status":"archived"}' });
  });

  test('that is refused for its token is repeated once with a fresh one', async () => {
    const { client, asked } = setUp([failure(401, { code: 'unauthorized' }), json({ success: true, phone_numbers: [] })]);
    await client.get('/api/live-chat/phone-numbers');
    expect(tokens(asked)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('that is refused twice fails as an expired session', async () => {
    const { client, asked } = setUp([failure(401, { code: 'unauthorized' }), failure(401, { code: 'unauthorized' })]);
    const error = await client.get('/api/live-chat/phone-numbers').catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 401, code: 'unauthorized', isSessionExpired: true });
    expect(asked).toHaveLength(2);
  });

  test('shares the fresh token with others that are refused meanwhile', async () => {
    const getAccessToken = vi.fn<GetAccessToken>(({ forceRefresh }) => Promise.resolve(forceRefresh ? 'new' : 'old'));
    const answers = [failure(401, {}), failure(401, {}), json({ success: true }), json({ success: true })];
    const { client } = setUp(answers, getAccessToken);
    await Promise.all([client.get('/api/live-chat/phone-numbers'), client.get('/api/live-chat/conversations')]);
    expect(getAccessToken.mock.calls.filter(([{ forceRefresh }]) => forceRefresh)).toHaveLength(1);
  });

  test('is not sent when nobody is signed in', async () => {
    const { client, asked } = setUp([], () => Promise.resolve(null));
    await expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 401, code: 'no_token' });
    expect(asked).toHaveLength(0);
  });

  test('ends when it takes too long', async () => {
    const { client, clock } = setUp(['never']);
    const reply = expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 0, code: 'timeout' });
    await clock.advance(30_000);
    await reply;
    expect(clock.pending).toBe(0);
  });

  test('ends when its caller does not want it any more', async () => {
    const { client, clock } = setUp(['never']);
    const controller = new AbortController();
    const reply = expect(client.get('/api/live-chat/phone-numbers', { signal: controller.signal })).rejects.toThrow('enough');
    await clock.advance(1);
    controller.abort(new Error('enough'));
    await reply;
    expect(clock.pending).toBe(0);
  });
});

describe('a token that does not come', () => {
  const never = () => new Promise<never>(() => {});

  test('fails the request in time, and costs the next one nothing', async () => {
    const getAccessToken = vi.fn<GetAccessToken>(() => Promise.resolve('old')).mockImplementationOnce(never);
    const { client, clock, asked } = setUp([json({ success: true })], getAccessToken);
    const reply = expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 0, code: 'no_token' });
    await clock.advance(30_000);
    await reply;
    expect(clock.pending).toBe(0);
    await client.get('/api/live-chat/phone-numbers');
    expect(tokens(asked)).toEqual(['Bearer old']);
  });

  test('is waited for no longer than the caller wants', async () => {
    const { client, clock } = setUp([], never);
    const controller = new AbortController();
    const reply = expect(client.get('/api/live-chat/phone-numbers', { signal: controller.signal })).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await reply;
    expect(clock.pending).toBe(0);
  });

  test('when it is to be refreshed fails all who wait, and is asked for anew later', async () => {
    const getAccessToken = vi.fn<GetAccessToken>(({ forceRefresh }) => Promise.resolve(forceRefresh ? 'new' : 'old'));
    const { client, clock, asked } = setUp([failure(401, {}), failure(401, {}), failure(401, {}), json({ success: true })], getAccessToken);
    for (let n = 0; n < 2; n += 1) getAccessToken.mockImplementationOnce(() => Promise.resolve('old'));
    getAccessToken.mockImplementationOnce(never);
    const replies = Promise.allSettled([client.get('/api/live-chat/phone-numbers'), client.get('/api/live-chat/conversations')]);
    await clock.advance(30_000);
    expect(await replies).toMatchObject([{ reason: { code: 'no_token' } }, { reason: { code: 'no_token' } }]);
    await client.get('/api/live-chat/phone-numbers');
    expect(tokens(asked).at(-1)).toBe('Bearer new');
  });
});

describe('a failure', () => {
  test('says what the API said', async () => {
    const { client } = setUp([failure(422, { code: 'invalid_field', message: 'Too long', field: 'content', limit: 5 })]);
    const error = await client.post('/api/live-chat/quick-replies', { body: { shortcut: 'x' } }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: 'invalid_field', message: 'Too long', field: 'content', details: { limit: 5 } });
  });

  test.each([
    ['7', 7],
    [new Date(Date.UTC(2026, 0, 1, 0, 1)).toUTCString(), 60],
    ['soon', undefined],
    // Ten minutes are the most.
    ['86400', 600],
    [new Date(Date.UTC(2027, 0, 1)).toUTCString(), 600],
  ])('says when to ask again: %s', async (header, retryAfter) => {
    const { client } = setUp([failure(503, { code: 'unavailable' }, { 'retry-after': header })]);
    await expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 503, retryAfter });
  });

  test('without words of the API still has a code', async () => {
    const { client } = setUp([new Response('<html>', { status: 502 }), new TypeError('fetch failed')]);
    await expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 502, code: 'http_502' });
    await expect(client.get('/api/live-chat/phone-numbers')).rejects.toMatchObject({ status: 0, code: 'network' });
  });

  test('does not repeat what the network said, which may name the user', async () => {
    const { client } = setUp([new TypeError('secret')]);
    await expect(client.get('/api/live-chat/phone-numbers')).rejects.not.toThrow('secret');
  });
});

test('a timer for longer than timers can wait does not run at once', async () => {
  const early = vi.fn();
  const forget = systemClock.after(2 ** 31, early);
  await new Promise<void>((resolve) => void systemClock.after(20, resolve));
  forget();
  expect(early).not.toHaveBeenCalled();
});
