import { useCallback, useEffect, useRef } from 'react';
import { useUi } from '../ui/context';

/**
 * Opening a conversation from the list, ready to answer it; not with fingers, whose keyboard would cover what there is to read. Closed again
 * where only one of both has room, the row has the focus that it had.
 */
export function useOpenRow(): (id: number, message?: number) => void {
  const { conversationId, openConversation } = useUi();
  const from = useRef<Element | null>(null);
  useEffect(() => {
    if (conversationId !== null) return;
    const row = from.current;
    from.current = null;
    if (row instanceof HTMLElement && (document.activeElement === document.body || document.activeElement === null)) row.focus();
  }, [conversationId]);
  return useCallback(
    (id, message) => {
      from.current = document.activeElement;
      const hasFinePointer = matchMedia('(pointer: fine)').matches;
      if (message !== undefined) openConversation(id, { message });
      else openConversation(id, hasFinePointer ? { focus: 'composer' } : {});
    },
    [openConversation],
  );
}
