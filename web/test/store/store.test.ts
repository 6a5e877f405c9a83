// @vitest-environment happy-dom
import { Blob as NodeBlob } from 'node:buffer';
import { act, renderHook } from '@testing-library/react';
import { createElement, type ReactNode, StrictMode } from 'react';
import { QueryClientProvider } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/api/types';
import { useActions } from '../../src/hooks/actions';
import { useConversation, useConversations } from '../../src/hooks/conversations';
import { useTyping, useUnread } from '../../src/hooks/misc';
import { useThread } from '../../src/hooks/thread';
import { StoreContext } from '../../src/store/context';
import { diskName } from '../../src/store/disk';
import type { ListParams } from '../../src/store/fold';
import { readPicture } from '../../src/store/picture';
import { keys } from '../../src/store/store';
import { conversationOf, messageOf, numberOf, Profile, tokenOf, type TabOfStore } from './model';

const params = (more: Partial<ListParams> = {}): ListParams => ({ phoneNumberId: null, status: 'active', filter: null, sort: 'recent', q: '', ...more });
const failure = (status: number, code: string) => ({ status, body: { success: false, error: { code, message: code } } });

/** A hook in a page around this store. */
function draw<T>({ store }: TabOfStore, hook: () => T) {
  const wrapper = ({ children }: { children: ReactNode }) =>
    createElement(StrictMode, null, createElement(StoreContext, { value: store }, createElement(QueryClientProvider, { client: store.queries, children })));
  const drawn = renderHook(hook, { wrapper });
  return { result: drawn.result, end: drawn.unmount };
}

async function until(profile: Profile, condition: () => boolean): Promise<void> {
  await act(() => profile.until(condition));
}

/** Requests wait until they are let go. */
function gate(profile: Profile, path: string, refusal?: ReturnType<typeof failure>) {
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  let asked = 0;
  profile.api.answer = async (request) => {
    if (!request.path.endsWith(path)) return undefined as never;
    asked += 1;
    await held;
    return refusal as never;
  };
  return { go, asked: () => asked };
}

const updated = (conversation: Conversation) => ({ type: 'conversation.updated' as const, conversation });

describe('what an agent does', () => {
  it('is shown at once in every list and the totals, and taken back where it is refused', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1, { unread_count: 2 })];
    profile.api.phoneNumbers = [numberOf('p1', { unread_count: 5 })];
    const tab = profile.tab();
    const { result } = draw(tab, () => ({ list: useConversations(params()).conversations, unread: useConversations(params({ filter: 'unread' })).conversations, total: useUnread(), actions: useActions() }));
    await until(profile, () => result.current.unread?.length === 1 && result.current.total === 5);
    const { go } = gate(profile, '/read', failure(500, 'internal'));
    const marked = result.current.actions.markRead(1).catch((error: unknown) => error);
    await until(profile, () => result.current.unread?.length === 0);
    expect([result.current.list?.[0]?.unread_count, result.current.total]).toEqual([0, 3]);
    go();
    await until(profile, () => result.current.unread?.length === 1);
    expect(await marked).toMatchObject({ status: 500 });
    expect([result.current.list?.[0]?.unread_count, result.current.total]).toEqual([2, 5]);
  });

  it('stays as it is shown while something older arrives, and keeps what that brought', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const tab = profile.tab();
    const { result } = draw(tab, () => ({ list: useConversations(params()).conversations, one: useConversation(1), actions: useActions() }));
    await until(profile, () => result.current.list?.length === 1);
    const { go } = gate(profile, '/conversations/1', failure(503, 'unavailable'));
    const archived = result.current.actions.setStatus(1, 'archived').catch((error: unknown) => error);
    await until(profile, () => result.current.list?.length === 0);
    profile.api.tell(updated(conversationOf(1, { last_message: 'New', unread_count: 1 })));
    await act(() => profile.finish(tab.store.live.catchUp()));
    await until(profile, () => result.current.one?.last_message === 'New');
    expect([result.current.list, result.current.one?.status]).toEqual([[], 'archived']);
    go();
    await until(profile, () => result.current.list?.length === 1);
    await archived;
    expect(tab.store.conversation(1)).toMatchObject({ status: 'active', last_message: 'New', unread_count: 1 });
  });

  it('is answered with less than what was told since', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1, { unread_count: 2 })];
    const tab = profile.tab();
    const { result } = draw(tab, () => ({ list: useConversations(params()).conversations, actions: useActions() }));
    await until(profile, () => result.current.list?.length === 1);
    const { go } = gate(profile, '/read', { status: 200, body: { success: true, conversation: conversationOf(1) } as never });
    const marked = result.current.actions.markRead(1);
    await until(profile, () => result.current.list?.[0]?.unread_count === 0);
    profile.api.tell(updated(conversationOf(1, { unread_count: 1, last_message: 'Newer' })));
    await act(() => profile.finish(tab.store.live.catchUp()));
    go();
    await act(() => profile.finish(marked));
    expect(tab.store.conversation(1)).toMatchObject({ unread_count: 1, last_message: 'Newer' });
  });

  it('asks nothing where nothing is unread', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const tab = profile.tab();
    const { result } = draw(tab, () => ({ list: useConversations(params()).conversations, actions: useActions() }));
    await until(profile, () => result.current.list?.length === 1);
    await result.current.actions.markRead(1);
    expect(profile.api.asked.some(({ path }) => path.endsWith('/read'))).toBe(false);
  });

  it('puts a reaction on a message, and takes it off where it is refused', async () => {
    const profile = new Profile();
    profile.api.messages.push(messageOf(1, { sender: 'customer' }));
    const tab = profile.tab();
    const { result } = draw(tab, () => ({ thread: useThread(1), actions: useActions() }));
    await until(profile, () => result.current.thread.messages?.length === 1);
    const { go } = gate(profile, 'send-message', failure(422, 'message_failed'));
    const [message] = result.current.thread.messages ?? [];
    if (!message) throw new Error('there is no message');
    const reacted = result.current.actions.react(message, '👍').catch((error: unknown) => error);
    await until(profile, () => result.current.thread.messages?.[0]?.reactions[0]?.emoji === '👍');
    go();
    await until(profile, () => result.current.thread.messages?.[0]?.reactions.length === 0);
    expect(await reacted).toMatchObject({ code: 'message_failed' });
  });
});

describe('what is loaded', () => {
  it('is not put back by an answer that is older than a change', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1, { customer_name: 'Old' })];
    const tab = profile.tab();
    const held = gate(profile, '/conversations', { status: 200, body: { success: true, conversations: [conversationOf(1, { customer_name: 'Old' })], next_cursor: null } as never });
    const { result } = draw(tab, () => useConversations(params()).conversations);
    await until(profile, () => held.asked() > 0);
    profile.api.tell(updated(conversationOf(1, { customer_name: 'New' })));
    await act(() => profile.finish(tab.store.live.catchUp()));
    held.go();
    await until(profile, () => result.current !== undefined);
    expect(result.current?.[0]?.customer_name).toBe('New');
  });

  it('keeps a change that comes between the answer and its writing', async () => {
    const profile = new Profile();
    const tab = profile.tab();
    await profile.pass();
    const { store } = tab;
    const key = ['conversations', params()];
    const ask = store.fetchLive(key, () => Promise.resolve(null), () => ({ items: [conversationOf(1)], nextCursor: null, end: null }));
    const query = store.queries.fetchQuery({
      queryKey: key,
      queryFn: async (context) => {
        const data = await ask(context);
        profile.api.tell(updated(conversationOf(1, { customer_name: 'In the gap' })));
        await store.live.catchUp();
        return data;
      },
    });
    await profile.finish(query);
    expect(store.conversation(1)?.customer_name).toBe('In the gap');
  });

  it('is loaded anew after a reset, and shown all the while', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const tab = profile.tab();
    const seen: (number | undefined)[] = [];
    const { result } = draw(tab, () => {
      const { conversations } = useConversations(params());
      seen.push(conversations?.length);
      return conversations;
    });
    await until(profile, () => result.current?.length === 1);
    seen.length = 0;
    profile.api.conversations = [conversationOf(1), conversationOf(2)];
    profile.api.isExpired = true;
    await act(() => profile.finish(tab.store.live.catchUp()));
    await until(profile, () => result.current?.length === 2);
    expect(seen.filter((length) => length !== 1 && length !== 2)).toEqual([]);
  });

  it('is what changes say once a reset overtook the first answer', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1, { customer_name: 'Before' })];
    const tab = profile.tab();
    let first = true;
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    profile.api.answer = async ({ path }) => {
      if (path.endsWith('/conversations') && first) {
        first = false;
        await held;
        return { status: 200, body: { success: true, conversations: [conversationOf(1, { customer_name: 'Before' })], next_cursor: null } };
      }
      return undefined as never;
    };
    const { result } = draw(tab, () => useConversations(params()).conversations);
    await until(profile, () => !first);
    profile.api.isExpired = true;
    profile.api.conversations = [conversationOf(1, { customer_name: 'After' })];
    await act(() => profile.finish(tab.store.live.catchUp()));
    go();
    await until(profile, () => result.current !== undefined);
    expect(result.current?.[0]?.customer_name).toBe('After');
  });

  it('leaves a list of closing windows when its time has come', async () => {
    const profile = new Profile();
    const expires = new Date(profile.clock.now() + 60_000).toISOString();
    profile.api.conversations = [conversationOf(1, { window_expires_at: expires })];
    const tab = profile.tab();
    const { result } = draw(tab, () => useConversations(params({ filter: 'window_closing' })).conversations);
    await until(profile, () => result.current?.length === 1);
    profile.api.conversations = [];
    await act(() => profile.pass(95_000));
    await until(profile, () => result.current?.length === 0);
  });

  it('survives a start, an end, and a start', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const tab = profile.tab();
    tab.stop();
    const stop = tab.store.start();
    const { result } = draw(tab, () => useConversations(params()).conversations);
    await until(profile, () => result.current?.length === 1);
    stop();
    tab.store.start();
    profile.api.conversations = [conversationOf(1), conversationOf(2)];
    await until(profile, () => result.current?.length === 2);
  });

  it('stays small, however many threads are opened', async () => {
    const profile = new Profile();
    const tab = profile.tab();
    await profile.pass();
    for (let id = 1; id <= 60; id += 1) {
      const { result, end } = draw(tab, () => useThread(id).messages);
      await until(profile, () => result.current !== undefined);
      end();
    }
    expect(tab.store.queries.getQueryCache().findAll({ queryKey: ['thread'] }).length).toBeLessThanOrEqual(30);
  });

  it('of a thread is cut to its newest page when it is left', async () => {
    const profile = new Profile();
    for (let id = 1; id <= 120; id += 1) profile.api.messages.push(messageOf(id));
    const tab = profile.tab();
    const first = draw(tab, () => useThread(1));
    await until(profile, () => first.result.current.messages?.length === 120);
    first.end();
    const again = draw(tab, () => useThread(1));
    expect(again.result.current.messages).toHaveLength(50);
    expect([again.result.current.messages?.at(-1)?.id, again.result.current.hasOlder]).toEqual([120, true]);
    profile.api.messages.splice(71);
    await act(() => profile.finish(again.result.current.loadOlder()));
    expect(profile.api.asked.at(-1)?.query.get('before')).toBe('71');
  });
});

describe('what was shown last', () => {
  it('is there before the network answers, and replaced by the answer; another user sees none of it', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const first = profile.tab();
    const shown = draw(first, () => useConversations(params()).conversations);
    await until(profile, () => shown.result.current?.length === 1);
    await act(() => profile.pass(3_000));
    first.stop();
    profile.setOnline(false);
    const second = profile.tab();
    const again = draw(second, () => useConversations(params()).conversations);
    await until(profile, () => again.result.current?.length === 1);
    const stranger = draw(profile.tab({ user: 'u2' }), () => useConversations(params()).conversations);
    await act(() => profile.pass());
    expect(stranger.result.current).toBeUndefined();
    profile.api.conversations = [conversationOf(1), conversationOf(2)];
    profile.setOnline(true, second);
    await until(profile, () => again.result.current?.length === 2);
  });
});

describe('drafts', () => {
  it('are there when the page is opened again, with files and what they answer', async () => {
    const profile = new Profile();
    const first = profile.tab();
    await profile.pass();
    const replyTo = messageOf(3);
    first.store.drafts.set(1, { text: 'It is', files: [{ id: 'f', file: new NodeBlob(['x']) as Blob, name: 'x.txt', kind: 'document' }], replyTo });
    await profile.pass();
    first.tab.die();
    const second = profile.tab();
    await profile.until(() => second.store.drafts.get(1).text === 'It is');
    const { files, replyTo: answered } = second.store.drafts.get(1);
    expect([files[0]?.name, await files[0]?.file.text(), answered?.message_id]).toEqual(['x.txt', 'x', 'm3']);
    expect([...second.store.drafts.drafted]).toEqual([[1, 'It is']]);
  });

  it('of two tabs stay both, and what is sent is gone', async () => {
    const profile = new Profile();
    const [one, two] = [profile.tab(), profile.tab()];
    await profile.pass();
    one.store.drafts.set(1, { text: 'one' });
    two.store.drafts.set(2, { text: 'two' });
    two.store.drafts.set(3, { text: 'three' });
    await profile.pass();
    two.store.drafts.clear(3);
    await profile.pass();
    const third = profile.tab();
    await profile.until(() => third.store.drafts.drafted.size > 0);
    expect([...third.store.drafts.drafted]).toEqual([[1, 'one'], [2, 'two']]);
  });

  it('that are written before the disk is read are not replaced', async () => {
    const profile = new Profile();
    const first = profile.tab();
    await profile.pass();
    first.store.drafts.set(1, { text: 'old' });
    await profile.pass();
    first.tab.die();
    const second = profile.tab();
    second.store.drafts.set(1, { text: 'new' });
    await profile.pass();
    expect(second.store.drafts.get(1).text).toBe('new');
    const third = profile.tab();
    await profile.until(() => third.store.drafts.get(1).text === 'new');
  });

  it('of one user are not another one’s, and end with a sign-out', async () => {
    const profile = new Profile();
    const first = profile.tab();
    await profile.pass();
    first.store.drafts.set(1, { text: 'secret' });
    await profile.pass();
    const stranger = profile.tab({ user: 'u2' });
    await profile.pass();
    expect(stranger.store.drafts.drafted.size).toBe(0);
    await profile.finish(first.store.clear());
    const again = profile.tab();
    await profile.pass();
    expect([first.store.drafts.get(1).text, again.store.drafts.drafted.size]).toEqual(['', 0]);
  });

  it('are forgotten where another user begins on the same page', async () => {
    const profile = new Profile();
    let token = tokenOf('u1');
    const tab = profile.tab({ token: () => token });
    await profile.pass();
    tab.store.drafts.set(1, { text: 'secret' });
    await profile.pass();
    tab.stop();
    token = tokenOf('u2');
    tab.store.start();
    await profile.pass();
    expect(tab.store.drafts.get(1).text).toBe('');
  });
});

describe('typing', () => {
  it('of another page is shown until it ends or the answer is sent; of this page it is not', async () => {
    const profile = new Profile();
    const tab = profile.tab();
    await profile.pass();
    const { result } = draw(tab, () => useTyping(1));
    const ends = profile.clock.now() + 25_000;
    act(() => tab.store.typing.heard(1));
    await until(profile, () => result.current);
    await act(() => profile.pass(ends - 1_000 - profile.clock.now()));
    expect(result.current).toBe(true);
    await until(profile, () => !result.current);
    act(() => tab.store.typing.heard(1));
    await until(profile, () => result.current);
    profile.api.tell({ type: 'message.created', message: messageOf(1) });
    await act(() => profile.finish(tab.store.live.catchUp()));
    await until(profile, () => !result.current);
    act(() => {
      tab.store.typing.tell(1);
      tab.store.typing.tell(1);
      tab.store.typing.heard(1);
    });
    await act(() => profile.pass());
    expect(result.current).toBe(false);
    expect(profile.api.requests('/api/live-chat/typing')).toHaveLength(1);
  });
});

describe('what is kept', () => {
  it('is nothing more after a sign-out, although the page is still there for a moment', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const tab = profile.tab();
    const { result } = draw(tab, () => useConversations(params()).conversations);
    await until(profile, () => result.current?.length === 1);
    await act(() => profile.pass(3_000));
    await act(() => profile.finish(tab.store.clear()));
    profile.api.conversations = [conversationOf(1), conversationOf(2)];
    profile.api.isExpired = true;
    await act(() => profile.finish(tab.store.live.catchUp()));
    await until(profile, () => result.current?.length === 2);
    await act(() => profile.pass(3_000));
    tab.stop();
    await profile.pass();
    profile.setOnline(false);
    const again = draw(profile.tab(), () => useConversations(params()).conversations);
    await act(() => profile.pass());
    expect(again.result.current).toBeUndefined();
  });

  it('is shown at once where it was read ahead, to its user alone, and for a week', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    const list = () => useConversations(params()).conversations;
    const before = profile.tab();
    const { result } = draw(before, list);
    await until(profile, () => result.current?.length === 1);
    await act(() => profile.pass(3_000));
    before.stop();
    const name = diskName('https://api', 'u1');
    const read = (now = profile.clock.now()) => profile.finish(readPicture(name, [keys.conversations(params()), keys.thread(1)], profile.disk, { ...profile.clock, now: () => now, after: (ms, run) => profile.clock.after(ms, run) }));
    const picture = await read();
    expect(picture).toMatchObject({ name, rows: [{ queryKey: keys.conversations(params()) }] });
    expect((await read(profile.clock.now() + 8 * 86_400_000)).rows).toEqual([]);

    profile.setOnline(false);
    const again = draw(profile.tab({ picture }), list);
    expect(again.result.current).toHaveLength(1);
    await act(() => profile.pass());
    expect(again.result.current).toHaveLength(1);
    const stranger = draw(profile.tab({ picture, user: 'u2' }), list);
    await until(profile, () => stranger.result.current === undefined);
  });

  it('is forgotten of a conversation that is gone', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(1)];
    profile.api.messages.push(messageOf(1, { sender: 'customer' }));
    const tab = profile.tab();
    const { store } = tab;
    const thread = draw(tab, () => useThread(1));
    await until(profile, () => thread.result.current.messages?.length === 1);
    await act(() => profile.pass(3_000));
    thread.end();
    const read = () => profile.finish(readPicture(diskName('https://api', 'u1'), [keys.thread(1)], profile.disk, profile.clock));
    expect((await read()).rows).toHaveLength(1);
    profile.api.conversations = [];
    profile.api.messages.length = 0;
    profile.api.tell({ type: 'conversation.deleted', conversation_id: 1 });
    await act(() => profile.finish(store.live.catchUp()));
    await act(() => profile.pass(3_000));
    expect(store.queries.getQueryData(keys.thread(1))).toBeUndefined();
    expect((await read()).rows).toEqual([]);
  });

  it('is in the memory where the browser’s disk never answers, and messages are sent all the same', async () => {
    const profile = new Profile();
    const silent = { open: () => ({}) } as unknown as IDBFactory;
    const { store } = profile.tab({ disk: silent });
    void store.outbox.send(1, { message: 'a' });
    await profile.until(() => profile.api.messages.length === 1 && store.outbox.totals.queued === 0);
  });

  it('of a tab that comes while a message is being sent shows that it is', async () => {
    const profile = new Profile();
    const first = profile.tab();
    await profile.pass();
    const { asked } = gate(profile, 'send-message');
    void first.store.outbox.send(1, { message: 'a' });
    await profile.until(() => asked() > 0);
    const second = profile.tab();
    await profile.until(() => second.store.outbox.of(1)[0]?.state === 'sending');
  });
});
