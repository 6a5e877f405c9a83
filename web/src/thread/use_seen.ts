/** What the agent has truly seen, and what is said of what arrives. */
import { useLingui } from '@lingui/react/macro';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Conversation, Message } from '../api/types';
import { useActions } from '../hooks/actions';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { isInbound } from './rows';
import { summaryOf } from './summary';

/** Marks the conversation read when its end is shown to somebody. One that they mark unread stays so until the customer writes again, or it is opened anew. */
export function useSeen(conversation: Conversation | null | undefined, messages: readonly Message[] | undefined, isAtEnd: boolean): void {
  const actions = useActions();
  const { live } = useStore();
  const [tries, setTries] = useState(0);
  const isVisible = useSyncExternalStore(subscribeToVisibility, () => document.visibilityState === 'visible');
  const newest = messages?.findLast(isInbound)?.id;
  const { id, unread_count: unread = 0, window_expires_at: end = null } = conversation ?? {};
  // A message and the count of it come one after the other, in either order: both say what was seen.
  const now = id === undefined || newest === undefined ? null : `${newest} ${end}`;
  const seen = useRef<string>(undefined);
  useEffect(() => {
    if (id === undefined || now === null || !isAtEnd || !isVisible || seen.current === now) return;
    seen.current = now;
    if (unread === 0) return;
    actions.markRead(id).catch(() => {
      if (seen.current === now) seen.current = undefined;
    });
  }, [actions, id, now, unread, isAtEnd, isVisible, tries]);
  // What failed is tried again once the server answers.
  useEffect(() => live.subscribe(({ type }) => type === 'status' && seen.current === undefined && setTries((tries) => tries + 1)), [live]);
}

function subscribeToVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}

/** Says what the customer writes while the conversation is open. */
export function useNews(messages: readonly Message[] | undefined, hasNewer: boolean, customer: string): void {
  const { i18n, t } = useLingui();
  const { announce } = useUi();
  const newest = hasNewer ? undefined : messages?.at(-1);
  const known = useRef<number>(undefined);
  useEffect(() => {
    if (!newest) return;
    const before = known.current;
    known.current = newest.id;
    if (before !== undefined && newest.id > before && isInbound(newest)) announce(t`${customer}: ${summaryOf(newest, i18n)}`);
  }, [newest, customer, announce, i18n, t]);
}
