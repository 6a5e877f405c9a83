/** The text of a draft as it is being typed. The field shows its own state, which is never behind; the draft follows it, and leads where somebody else changes it. */
import { useCallback, useLayoutEffect, useRef, useState } from 'react';
import type { Draft } from '../store/drafts';

export function useDraftText(draft: Draft, change: (change: Partial<Draft>) => void): [string, (text: string) => void] {
  const [text, setText] = useState(draft.text);
  const written = useRef(draft.text);
  useLayoutEffect(() => {
    if (draft.text === written.current) return;
    written.current = draft.text;
    setText(draft.text);
  }, [draft.text]);
  const write = useCallback(
    (next: string) => {
      written.current = next;
      setText(next);
      change({ text: next });
    },
    [change],
  );
  return [text, write];
}
