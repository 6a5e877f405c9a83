// @vitest-environment happy-dom
import { act, renderHook } from '@testing-library/react';
import { createElement, type ReactNode } from 'react';
import { QueryClientProvider } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { useConversations, useSuccessor } from '../../src/hooks/conversations';
import { useThread } from '../../src/hooks/thread';
import { StoreContext } from '../../src/store/context';
import { isSameCustomer, Successors } from '../../src/store/successors';
import { type Asked, conversationOf, messageOf, Profile, type TabOfStore } from './model';

const GONE = { status: 404, body: { success: false, error: { code: 'not_found', message: 'No such conversation' } } };
const LIST = { phoneNumberId: null, status: 'active', filter: null, sort: 'recent', q: '' } as const;

function draw<T>({ store }: TabOfStore, hook: () => T) {
  const wrapper = ({ children }: { children: ReactNode }) => createElement(StoreContext, { value: store }, createElement(QueryClientProvider, { client: store.queries, children }));
  return renderHook(hook, { wrapper }).result;
}

/** Conversation 9 is gone: the API knows it no more, neither for sending. */
function without9(profile: Profile) {
  profile.api.answer = ({ path, body }: Asked) => (path.endsWith('/conversations/9') || (body as { conversation_id?: number } | null)?.conversation_id === 9 ? GONE : undefined);
}

describe('a conversation that became part of another one', () => {
  it('takes what is not sent and what was begun along, once its messages are seen to move', async () => {
    const profile = new Profile();
    profile.api.conversations = [conversationOf(9)];
    profile.api.messages.push(messageOf(5, { conversation_id: 9, sender: 'customer' }));
    const tab = profile.tab();
    const shown = draw(tab, () => ({ thread: useThread(9), to: useSuccessor(9) }));
    await act(() => profile.until(() => shown.current.thread.messages?.length === 1));
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    profile.api.answer = async ({ path, body }) => {
      if (!path.endsWith('send-message')) return undefined as never;
      await held;
      return ((body as { conversation_id: number }).conversation_id === 9 ? GONE : undefined) as never;
    };
    void tab.store.outbox.send(9, { message: 'a' });
    void tab.store.outbox.send(9, { message: 'b' });
    tab.store.drafts.set(9, { text: 'and' });
    tab.store.drafts.set(2, { text: 'Before' });
    await act(() => profile.until(() => tab.store.outbox.of(9)[0]?.state === 'sending'));
    profile.api.tell({ type: 'message.updated', message: messageOf(5, { conversation_id: 2, sender: 'customer' }) });
    profile.api.tell({ type: 'conversation.deleted', conversation_id: 9 });
    await act(() => profile.finish(tab.store.live.catchUp()));
    await act(() => profile.until(() => shown.current.to === 2));
    go();
    await act(() => profile.until(() => profile.api.messages.length === 3 && tab.store.outbox.totals.queued === 0));
    expect([profile.api.sent(2), tab.store.outbox.totals.failed]).toEqual([['a', 'b'], 0]);
    expect([tab.store.drafts.get(2).text, tab.store.drafts.get(9).text]).toEqual(['Before\nand', '']);
    await act(() => profile.pass());
    tab.tab.die();
    const second = profile.tab();
    await profile.until(() => second.store.drafts.drafted.size > 0);
    expect([...second.store.drafts.drafted]).toEqual([[2, 'Before\nand']]);
  });

  it('is found by its customer where that happened while no page was open', async () => {
    const profile = new Profile();
    const customer = { customer_phone: '+999', customer_user_id: 'u.9' };
    profile.api.conversations = [conversationOf(9, customer)];
    const first = profile.tab();
    const list = draw(first, () => useConversations(LIST).conversations);
    await act(() => profile.until(() => list.current?.length === 1));
    first.tab.setOnline(false);
    await act(() => profile.finish(first.store.outbox.send(9, { message: 'a' })));
    first.store.drafts.set(9, { text: 'and' });
    await act(() => profile.pass());
    first.tab.die();
    profile.api.conversations = [conversationOf(3), conversationOf(2, { customer_user_id: 'u.9', customer_phone: null })];
    without9(profile);
    const second = profile.tab();
    await profile.until(() => profile.api.messages.length === 1 && second.store.outbox.totals.queued === 0);
    expect(profile.api.sent(2)).toEqual(['a']);
    await profile.until(() => second.store.drafts.get(2).text === 'and');
  });

  it('of which nothing is known leaves the message failed, not lost', async () => {
    const profile = new Profile();
    without9(profile);
    const { store } = profile.tab();
    void store.outbox.send(9, { message: 'a' });
    await profile.until(() => store.outbox.totals.failed === 1);
    expect(store.outbox.failed).toMatchObject({ conversationId: 9, state: 'failed', error: { code: 'not_found' } });
  });

  it('is the customer’s only where number and customer agree', () => {
    const whose = { phone_number_id: 'p1', customer_phone: '+1', customer_user_id: null };
    expect(isSameCustomer(whose, { ...whose, customer_user_id: 'u' })).toBe(true);
    expect(isSameCustomer(whose, { ...whose, phone_number_id: 'p2' })).toBe(false);
    expect(isSameCustomer({ ...whose, customer_phone: null }, { ...whose, customer_phone: null })).toBe(false);
  });

  it('is followed to the end of the way, and not in circles', () => {
    const successors = new Successors();
    successors.note(1, 2);
    successors.note(2, 3);
    expect(successors.of(1)).toBe(3);
    successors.note(3, 1);
    expect(successors.of(1)).toBe(3);
  });
});
