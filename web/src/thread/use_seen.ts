/** What the agent has truly seen, and what is said of what arrives. */
import { useLingui } from '@lingui/react/macro';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { Message } from '../api/types';
import { useActions } from '../hooks/actions';
import { useUi } from '../ui/context';
import { isInbound } from './rows';
import { summaryOf } from './summary';

/** Marks the conversation read when its end is shown to somebody. One that they mark unread stays so until the customer writes again, or it is opened anew. */
export function useSeen(conversationId: number, messages: readonly Message[] | undefined, unread: number, isAtEnd: boolean): void {
  const actions = useActions();
  const isVisible = useSyncExternalStore(subscribeToVisibility, () => document.visibilityState === 'visible');
  const newest = messages?.findLast(isInbound)?.id;
  const seen = useRef<number>(undefined);
  useEffect(() => {
    if (newest === undefined || !isAtEnd || !isVisible || seen.current === newest) return;
    seen.current = newest;
    if (unread === 0) return;
    actions.markRead(conversationId).catch(() => {
      // With the next change of anything here it is tried again.
      seen.current = undefined;
    });
  }, [actions, conversationId, newest, unread, isAtEnd, isVisible]);
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
