import { describe, expect, it } from 'vitest';
import type { OutboxItem } from '../../src/store/outbox';
import { messageOf, Profile, tokenOf } from './model';

const text = (message: string) => ({ message });
const states = (items: readonly OutboxItem[]) => items.map(({ request, state }) => `${request.message} ${state}`);
const failure = (status: number, code: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) => ({ status, body: { success: false, error: { code, message: code, ...more } }, headers });
const picture = () => ({ file: new Blob(['picture'], { type: 'image/jpeg' }), name: 'a.jpg', kind: 'image' as const });

describe('the outbox', () => {
  it('sends twenty that were written offline in a tab that was closed, each once and in order', async () => {
    const profile = new Profile();
    profile.setOnline(false);
    const first = profile.tab();
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    // Nobody waits for one before writing the next.
    await profile.finish(Promise.all(numbers.map((number) => first.store.outbox.send(1, text(number)))));
    expect(first.store.outbox.of(1)).toHaveLength(20);
    first.tab.die();
    profile.setOnline(true);
    const second = profile.tab();
    await profile.until(() => profile.api.messages.length === 20 && second.store.outbox.of(1).length === 0);
    expect(profile.api.sent()).toEqual(numbers);
    expect(profile.api.requests('/api/live-chat/send-message')).toHaveLength(20);
  });

  it('goes on where a tab died in mid-send, and nothing is sent twice', async () => {
    const profile = new Profile();
    const first = profile.tab();
    profile.api.answer = ({ path }) => (path.endsWith('send-message') ? 'lost' : undefined);
    void first.store.outbox.send(1, text('a'));
    void first.store.outbox.send(1, text('b'));
    await profile.until(() => profile.api.messages.length === 1);
    first.tab.die();
    profile.api.answer = () => undefined;
    const second = profile.tab();
    await profile.until(() => profile.api.messages.length === 2 && second.store.outbox.totals.queued === 0);
    expect(profile.api.sent()).toEqual(['a', 'b']);
    const bodies = profile.api.requests('/api/live-chat/send-message').map(({ body }) => JSON.stringify(body));
    expect(new Set(bodies).size).toBe(2);
  });

  it('sends from one of two tabs, and both show the same', async () => {
    const profile = new Profile();
    const [one, two] = [profile.tab(), profile.tab()];
    await profile.pass();
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    profile.api.answer = async ({ path }) => {
      if (path.endsWith('send-message')) await held;
      return undefined as never;
    };
    await profile.finish(Promise.all([one.store.outbox.send(1, text('a')), two.store.outbox.send(1, text('b'))]));
    await profile.until(() => two.store.outbox.of(1)[0]?.state === 'sending' && one.store.outbox.of(1)[0]?.state === 'sending');
    expect(states(one.store.outbox.of(1))).toEqual(['a sending', 'b queued']);
    expect(states(two.store.outbox.of(1))).toEqual(['a sending', 'b queued']);
    go();
    await profile.until(() => one.store.outbox.totals.queued + two.store.outbox.totals.queued === 0);
    expect(profile.api.sent()).toEqual(['a', 'b']);
    expect(profile.api.requests('/api/live-chat/send-message').map(({ body }) => (body as { message: string }).message)).toEqual(['a', 'b']);
  });

  it('goes on in another tab when the one that sends is closed, or hangs', async () => {
    for (const end of ['die', 'freeze'] as const) {
      const profile = new Profile();
      const [one, two] = [profile.tab(), profile.tab()];
      await profile.pass();
      one.tab[end]();
      void two.store.outbox.send(1, text('a'));
      await profile.until(() => profile.api.messages.length === 1);
      await profile.until(() => two.store.outbox.totals.queued === 0);
      expect(profile.api.sent()).toEqual(['a']);
    }
  });

  it('keeps the order of a conversation through trouble, while others go on', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let fails = 3;
    profile.api.answer = ({ path, body }) => (path.endsWith('send-message') && (body as { message: string }).message === 'a' && fails-- > 0 ? failure(500, 'internal') : undefined);
    for (const [id, message] of [[1, 'a'], [1, 'b'], [2, 'x'], [2, 'y']] as const) void store.outbox.send(id, text(message));
    await profile.until(() => profile.api.messages.length === 4);
    expect(profile.api.sent(1)).toEqual(['a', 'b']);
    expect(profile.api.sent()).toEqual(['x', 'y', 'a', 'b']);
  });

  it('lets what is refused step aside until the agent sends it again', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let isClosed = true;
    profile.api.answer = ({ path, body }) =>
      path.endsWith('send-message') && (body as { message: string }).message === 'a' && isClosed ? failure(409, 'customer_service_window_closed', { closed_at: '2026-01-01T00:00:00Z' }) : undefined;
    void store.outbox.send(1, text('a'));
    void store.outbox.send(1, text('b'));
    await profile.until(() => profile.api.messages.length === 1 && store.outbox.totals.queued === 0);
    const [item] = store.outbox.of(1);
    expect(item).toMatchObject({ state: 'failed', error: { code: 'customer_service_window_closed', since: '2026-01-01T00:00:00Z', retryable: true } });
    expect(store.outbox.totals).toEqual({ queued: 0, failed: 1 });
    isClosed = false;
    await profile.finish(store.outbox.retry(item?.messageId ?? ''));
    await profile.until(() => store.outbox.of(1).length === 0);
    expect(profile.api.sent()).toEqual(['b', 'a']);
    expect(profile.api.messages[1]?.message_id).toBe(item?.messageId);
  });

  it('remembers what failed when the page is opened again, and forgets what was discarded', async () => {
    const profile = new Profile();
    const first = profile.tab();
    profile.api.answer = ({ path }) => (path.endsWith('send-message') ? failure(422, 'invalid_field', { field: 'message' }) : undefined);
    void first.store.outbox.send(1, text('a'));
    await profile.until(() => first.store.outbox.totals.failed === 1);
    first.tab.die();
    const second = profile.tab();
    await profile.until(() => second.store.outbox.totals.failed === 1);
    expect(second.store.outbox.of(1)[0]).toMatchObject({ error: { field: 'message', retryable: false } });
    await profile.finish(second.store.outbox.discard(second.store.outbox.of(1)[0]?.messageId ?? ''));
    expect(second.store.outbox.totals).toEqual({ queued: 0, failed: 0 });
    second.tab.die();
    const third = profile.tab();
    await profile.pass(3_000);
    expect(third.store.outbox.of(1)).toEqual([]);
  });

  it('waits as long as the server says', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let asked = 0;
    profile.api.answer = ({ path }) => (path.endsWith('send-message') && asked++ === 0 ? failure(503, 'unavailable', {}, { 'retry-after': '40' }) : undefined);
    void store.outbox.send(1, text('a'));
    void store.outbox.send(2, text('b'));
    await profile.until(() => asked >= 1);
    const sooner = asked;
    await profile.pass(39_000);
    expect(asked).toBe(sooner);
    await profile.until(() => profile.api.messages.length === 2);
  });

  it('stands still while nobody is signed in, and goes on with a token', async () => {
    const profile = new Profile();
    let token: string | null = tokenOf('u1');
    const { store } = profile.tab({ token: () => token });
    await profile.pass();
    token = null;
    void store.outbox.send(1, text('a'));
    await profile.pass(60_000);
    expect(store.outbox.of(1)[0]).toMatchObject({ state: 'queued', error: null });
    token = tokenOf('u1');
    await profile.until(() => profile.api.messages.length === 1);
  });

  it('sends nothing of one user as another', async () => {
    const profile = new Profile();
    let token = tokenOf('u1');
    profile.setOnline(false);
    const first = profile.tab({ token: () => token });
    void first.store.outbox.send(1, text('a'));
    await profile.pass();
    token = tokenOf('u2');
    profile.setOnline(true, first);
    const second = profile.tab({ user: 'u2' });
    await profile.pass(120_000);
    expect(profile.api.messages).toEqual([]);
    expect(second.store.outbox.totals).toEqual({ queued: 0, failed: 0 });
  });

  it('uploads a file once, and asks for the same at each try', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let fails = 2;
    profile.api.answer = ({ path }) => (path.endsWith('send-message') && fails-- > 0 ? 'lost' : undefined);
    void store.outbox.send(1, { image: { caption: 'Look' } }, picture());
    await profile.until(() => store.outbox.totals.queued === 0);
    expect([...profile.api.files]).toEqual([['media-1', 1]]);
    expect(profile.api.messages).toHaveLength(1);
    expect(profile.api.requests('/api/live-chat/send-message')[2]?.body).toMatchObject({ message_type: 'image', image: { caption: 'Look', media_id: 'media-1' } });
  });

  it('asks for a new link when one has ended, takes a file that is there as sent, and tries again without a network', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    const answers = [403, 0, 503, 412];
    profile.api.upload = () => answers.shift() ?? 200;
    void store.outbox.send(1, {}, picture());
    await profile.until(() => store.outbox.totals.queued === 0);
    expect(profile.api.messages.map(({ content }) => content)).toEqual(['media-4']);
  });

  it('gives a file up that is not taken, and goes on behind it', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    profile.api.upload = () => 400;
    void store.outbox.send(1, {}, picture());
    void store.outbox.send(1, text('b'));
    await profile.until(() => profile.api.messages.length === 1);
    expect(store.outbox.of(1)[0]).toMatchObject({ state: 'failed', error: { code: 'upload_failed' } });
  });

  it('uploads a file anew that is gone when the message is sent', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let isGone = true;
    profile.api.answer = ({ path }) => {
      if (!path.endsWith('send-message') || !isGone) return undefined;
      isGone = false;
      return failure(422, 'invalid_field', { field: 'image.media_id' });
    };
    void store.outbox.send(1, {}, picture());
    await profile.until(() => store.outbox.totals.queued === 0);
    expect(profile.api.sent()).toEqual(['media-2']);
  });

  it('keeps a file across tabs', async () => {
    const profile = new Profile();
    profile.setOnline(false);
    const first = profile.tab();
    void first.store.outbox.send(1, {}, picture());
    await profile.pass();
    first.tab.die();
    const second = profile.tab();
    await profile.until(() => second.store.outbox.of(1).length === 1);
    const { file } = second.store.outbox.of(1)[0] ?? {};
    expect([file?.name, await file?.file.text()]).toEqual(['a.jpg', 'picture']);
  });

  it('goes when the message is heard of before its answer comes', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    profile.api.answer = ({ path }) => (path.endsWith('send-message') ? 'hangs' : undefined);
    void store.outbox.send(1, text('a'));
    await profile.until(() => store.outbox.of(1)[0]?.state === 'sending');
    store.outbox.settle(messageOf(5, { message_id: store.outbox.of(1)[0]?.messageId ?? '' }));
    expect(store.outbox.of(1)).toEqual([]);
  });

  it('works without a disk', async () => {
    const profile = new Profile();
    const { store } = profile.tab({ disk: null });
    void store.outbox.send(1, text('a'));
    void store.outbox.send(1, text('b'));
    await profile.until(() => profile.api.messages.length === 2 && store.outbox.totals.queued === 0);
    expect(profile.api.sent()).toEqual(['a', 'b']);
  });

  it('leaves nothing behind at a sign-out', async () => {
    const profile = new Profile();
    profile.setOnline(false);
    const [one, two] = [profile.tab(), profile.tab()];
    void one.store.outbox.send(1, text('a'));
    await profile.until(() => two.store.outbox.of(1).length === 1);
    await profile.finish(one.store.clear());
    await profile.until(() => two.store.outbox.of(1).length === 0);
    profile.setOnline(true, one, two);
    const third = profile.tab();
    await profile.pass(60_000);
    expect([profile.api.messages, third.store.outbox.totals]).toEqual([[], { queued: 0, failed: 0 }]);
  });
});

describe('a message that failed', () => {
  const failed = (more = {}) => messageOf(9, { message_id: 'k9', status: 'failed', error: { code: 131026, title: 'no', details: null, retryable: false }, ...more });

  it('is sent again as it was, under its own id', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    let messageId = '';
    profile.api.answer = ({ path, body }) => {
      if (!path.endsWith('send-message')) return undefined;
      const { message_id: id, retry } = body as { message_id: string; retry?: boolean };
      messageId = id;
      return retry ? undefined : { status: 422, body: { error: { code: 'message_failed', message: 'no' }, message: failed({ message_id: id }) } };
    };
    void store.outbox.send(1, { text: { body: 'a', preview_url: true } });
    await profile.until(() => messageId !== '' && store.outbox.totals.queued === 0);
    await profile.pass();
    await profile.finish(store.outbox.retry(messageId));
    const [first, second] = profile.api.requests('/api/live-chat/send-message');
    expect(second?.body).toEqual({ ...(first?.body as object), retry: true });
  });

  it('of another browser is sent again as it reads, in each form that it may have had', async () => {
    const profile = new Profile();
    const row = failed({ content: 'Hello' });
    profile.api.messages.push(row);
    profile.api.bodies.set('k9', JSON.stringify({ message_type: 'text', text: { body: 'Hello', preview_url: true }, conversation_id: 1 }));
    const { store } = profile.tab();
    await profile.pass();
    store.queries.setQueryData(['thread', 1], { messages: [{ ...row }], olderCursor: null, newerCursor: null, oldest: row, newest: row });
    await profile.finish(store.outbox.retry('k9'));
    expect([profile.api.messages.length, profile.api.messages[0]?.status]).toEqual([1, 'sent']);
    expect(store.message('k9')?.status).toBe('sent');
  });

  it('that cannot be rebuilt says so, and what the server refuses is as it was', async () => {
    const profile = new Profile();
    const { store } = profile.tab();
    await profile.pass();
    const show = (row: ReturnType<typeof failed>) => store.queries.setQueryData(['thread', 1], { messages: [row], olderCursor: null, newerCursor: null, oldest: row, newest: row });
    show(failed({ message_type: 'image', content: null, media: { state: 'stored' } }));
    const error = await profile.finish(store.outbox.retry('k9').catch((error: unknown) => error));
    expect(error).toMatchObject({ code: 'cannot_resend' });
    show(failed());
    profile.api.answer = ({ path }) => (path.endsWith('send-message') ? failure(409, 'customer_service_window_closed') : undefined);
    const retry = store.outbox.retry('k9').catch((error: unknown) => error);
    await profile.until(() => store.message('k9')?.status === 'pending');
    const refused = await profile.finish(retry);
    expect(refused).toMatchObject({ code: 'customer_service_window_closed' });
    expect([store.message('k9')?.status, store.outbox.totals]).toEqual(['failed', { queued: 0, failed: 0 }]);
  });
});
