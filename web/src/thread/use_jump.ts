/** Going to a message, wherever in the conversation it stands, and marking it for a moment. */
import { useLingui } from '@lingui/react/macro';
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Thread } from '../hooks/thread';
import { useUi } from '../ui/context';
import type { ListHandle, Mark } from './message_list';
import { indexOf, type Row } from './rows';

const MARKED_MS = 2_200;
const NO_MARK: Mark = { key: null, query: '' };

interface Jump {
  readonly target: number | string;
  readonly query: string;
  /** Whether the stretch around it is being loaded. */
  readonly isLoading: boolean;
}

export function useJump(thread: Thread, rows: readonly Row[], list: RefObject<ListHandle | null>): { mark: Mark; hasJump: boolean; jumpTo: (target: number | string, query?: string) => void } {
  const { t } = useLingui();
  const ui = useUi();
  const { conversationId, arrival } = ui;
  const [jump, setJump] = useState<Jump | null>(() => {
    const { current } = arrival;
    return current && current.conversationId === conversationId && current.message !== undefined ? { target: current.message, query: '', isLoading: false } : null;
  });
  const [mark, setMark] = useState<Mark>(NO_MARK);
  const jumpTo = useCallback((target: number | string, query = '') => setJump({ target, query, isLoading: false }), []);

  const [wantsFocus, setWantsFocus] = useState(() => arrival.current?.conversationId === conversationId && arrival.current?.focus === 'thread');
  // What the conversation was opened for is taken once, also when React draws twice.
  useEffect(() => {
    if (arrival.current?.conversationId === conversationId) arrival.current = null;
  }, [arrival, conversationId]);

  const { messages, jumpTo: loadAround } = thread;
  useEffect(() => {
    if (!wantsFocus || !messages) return;
    setWantsFocus(false);
    list.current?.focus();
  }, [wantsFocus, messages, list]);
  const latest = useRef(t);
  useEffect(() => {
    latest.current = t;
  });
  useLayoutEffect(() => {
    if (!jump || !messages) return;
    const row = rows[indexOf(rows, jump.target)];
    if (row && list.current?.show(jump.target)) {
      setJump(null);
      setMark({ key: row.key, query: jump.query });
      return;
    }
    if (jump.isLoading) return;
    setJump({ ...jump, isLoading: true });
    loadAround(jump.target).catch(() => {
      setJump(null);
      ui.toast({ text: latest.current`This message cannot be shown.`, tone: 'danger' });
    });
  }, [jump, messages, rows, list, loadAround, ui]);

  useEffect(() => {
    // What was searched for stays marked until something else is.
    if (mark.key === null || mark.query !== '') return undefined;
    const timer = setTimeout(() => setMark(NO_MARK), MARKED_MS);
    return () => clearTimeout(timer);
  }, [mark]);
  return { mark, hasJump: jump !== null, jumpTo };
}
