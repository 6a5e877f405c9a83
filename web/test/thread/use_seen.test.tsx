// @vitest-environment happy-dom
import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Conversation, Message } from '../../src/api/types';
import { useSeen } from '../../src/thread/use_seen';
import { conversationOf, messageOf, Profile } from '../store/model';
import { draw } from '../ui/drawn';

const inbound = (id: number): Message => messageOf(id, { sender: 'customer' });

function Reader({ conversation, messages }: { conversation: Conversation | undefined; messages: readonly Message[] }) {
  useSeen(conversation, messages, true);
  return null;
}

async function opened(first: { conversation: Conversation | undefined; messages: readonly Message[] }) {
  const profile = new Profile();
  const { store } = profile.tab();
  await act(() => profile.pass());
  const drawn = draw(<Reader {...first} />, { store });
  const marked = () => profile.api.asked.filter(({ path }) => path.endsWith('/read')).length;
  return { profile, marked, show: (conversation: Conversation | undefined, messages: readonly Message[]) => drawn.rerender(<Reader conversation={conversation} messages={messages} />), pass: () => act(() => profile.pass()) };
}

describe('what the agent has seen', () => {
  it('is marked read also where the messages are there before the conversation', async () => {
    const { marked, show, pass } = await opened({ conversation: undefined, messages: [inbound(1)] });
    await pass();
    expect(marked()).toBe(0);
    show(conversationOf(1, { unread_count: 1 }), [inbound(1)]);
    await pass();
    expect(marked()).toBe(1);
  });

  it('is marked read where a message is told before its count', async () => {
    const { marked, show, pass } = await opened({ conversation: conversationOf(1), messages: [inbound(1)] });
    show(conversationOf(1), [inbound(1), inbound(2)]);
    await pass();
    show(conversationOf(1, { unread_count: 1, window_expires_at: '2026-01-02T00:01:00Z' }), [inbound(1), inbound(2)]);
    await pass();
    expect(marked()).toBe(1);
  });

  it('stays unread where the agent wants it so', async () => {
    const { marked, show, pass } = await opened({ conversation: conversationOf(1), messages: [inbound(1)] });
    await pass();
    show(conversationOf(1, { unread_count: 1 }), [inbound(1)]);
    await pass();
    expect(marked()).toBe(0);
  });

  it('is tried again once the connection is back', async () => {
    const { profile, marked, show, pass } = await opened({ conversation: undefined, messages: [inbound(1)] });
    profile.api.answer = ({ path }) => (path.endsWith('/read') ? 'cut' : undefined);
    show(conversationOf(1, { unread_count: 1 }), [inbound(1)]);
    await act(() => profile.until(() => marked() === 1));
    await pass();
    profile.api.answer = ({ path }) => (path.endsWith('/read') ? { status: 200, body: { success: true, conversation: conversationOf(1) } } : undefined);
    const [tab] = profile.tabs;
    await act(async () => {
      if (tab) await profile.finish(tab.store.live.catchUp());
    });
    await pass();
    expect(marked()).toBe(2);
    await act(() => profile.pass(120_000));
    expect(marked()).toBe(2);
  });
});
