// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from 'vitest';
import { claimsOf, LocalSessions } from '../../src/page/session';

const token = (claims: Record<string, unknown>) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
const good = token({ sub: 'u1', email: 'zoë@example.com', exp: 4_000_000_000 });

beforeEach(() => localStorage.clear());

test('a token says whose it is, in any alphabet', () => {
  expect(claimsOf(good)).toEqual({ userId: 'u1', email: 'zoë@example.com', expiresAt: 4_000_000_000_000 });
  for (const none of ['', 'a.b', 'a.%%%.c', token({}), 'null', `h.${btoa('null')}.s`]) expect(claimsOf(none)).toBeNull();
});

test('who signed in is signed in after a reload, until they sign out', async () => {
  new LocalSessions().signIn(` ${good}\n`);
  const session = await new LocalSessions().restore();
  expect(session).toMatchObject({ userId: 'u1', name: 'zoë@example.com' });
  expect(await session?.getAccessToken({ forceRefresh: false })).toBe(good);
  await session?.signOut();
  expect(await new LocalSessions().restore()).toBeNull();
});

test('subscribers hear who signs in and out', async () => {
  const sessions = new LocalSessions();
  const heard = vi.fn();
  const end = sessions.subscribe(heard);
  sessions.signIn(good, 'Zoë');
  expect(heard).toHaveBeenLastCalledWith(expect.objectContaining({ name: 'Zoë' }));
  await (await sessions.restore())?.signOut();
  expect(heard).toHaveBeenLastCalledWith(null);
  end();
  sessions.signIn(good);
  expect(heard).toHaveBeenCalledTimes(2);
});

test('what is no token, or an old one, signs nobody in', async () => {
  const sessions = new LocalSessions();
  expect(() => sessions.signIn('nonsense')).toThrow(expect.objectContaining({ reason: 'not_a_token' }));
  expect(() => sessions.signIn(token({ sub: 'u1', exp: 1 }))).toThrow(expect.objectContaining({ reason: 'expired_token' }));
  expect(await sessions.restore()).toBeNull();
});
