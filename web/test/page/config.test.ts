import { describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../src/page/config';

const SUPABASE = { supabase_url: 'https://x.supabase.co/', supabase_publishable_key: 'k' };
const answer = (body: string, status = 200) => (() => Promise.resolve(new Response(body, { status }))) as typeof fetch;

describe('config.json', () => {
  test('names the API and who signs in', () => {
    expect(parseConfig({ api_url: 'https://api.example.com/', ...SUPABASE })).toEqual({
      apiUrl: 'https://api.example.com',
      supabase: { url: 'https://x.supabase.co', publishableKey: 'k' },
      agents: null,
      simulatorUrl: null,
    });
  });

  test('of a local stack has agents instead, and the API behind the page’s own address', () => {
    const agents = [{ name: 'a', token: 't' }];
    expect(parseConfig({ api_url: '', agents, simulator_url: 'http://127.0.0.1:1' })).toEqual({ apiUrl: '', supabase: null, agents, simulatorUrl: 'http://127.0.0.1:1' });
  });

  test.each([
    [{ ...SUPABASE }, 'missing', 'api_url'],
    [{ api_url: 'api.example.com', ...SUPABASE }, 'invalid', 'api_url'],
    [{ api_url: '' }, 'missing', 'supabase_url'],
    [{ api_url: '', supabase_url: 'https://x.supabase.co' }, 'missing', 'supabase_publishable_key'],
    [{ api_url: '', ...SUPABASE, supabase_publishable_key: '' }, 'invalid', 'supabase_publishable_key'],
    [{ api_url: '', agents: [{ name: 'a' }] }, 'invalid', 'agents'],
    [{ api_url: '', agents: [], simulator_url: 'javascript:alert(1)' }, 'invalid', 'simulator_url'],
  ])('%j is refused: %s %s', (value, reason, key) => {
    expect(() => parseConfig(value)).toThrow(expect.objectContaining({ reason, key }));
  });

  test('that cannot be had is told apart from one that cannot be read', async () => {
    await expect(loadConfig(() => Promise.reject(new TypeError('failed')))).rejects.toMatchObject({ reason: 'network' });
    await expect(loadConfig(answer('<!doctype html>'))).rejects.toMatchObject({ reason: 'unreadable' });
    await expect(loadConfig(answer('{}', 404))).rejects.toMatchObject({ reason: 'unreadable' });
    const list = await loadConfig(answer('[]'));
    expect(() => parseConfig(list)).toThrow(expect.objectContaining({ reason: 'missing' }));
  });
});
