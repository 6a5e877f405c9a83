/** What other parts, and the host, can tell the composer. */
import { type RefObject, useEffect, useRef } from 'react';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import type { Told } from './composer';
import { insert } from './text_area';

interface Parts {
  readonly conversationId: number;
  /** What was told while this was fetched. */
  readonly told: { current: Told[] };
  readonly root: RefObject<HTMLElement | null>;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly addFiles: ((files: readonly File[]) => void) | undefined;
  readonly openTemplates: (() => void) | undefined;
}

export function useHandle(parts: Parts): void {
  const { composer } = useUi();
  const store = useStore();
  const latest = useRef(parts);
  useEffect(() => {
    latest.current = parts;
  });
  useEffect(() => {
    const handle = {
      insertText(text: string) {
        const { area, conversationId } = latest.current;
        if (area.current) return insert(area.current, text);
        // While nothing can be written the draft keeps it.
        const before = store.drafts.get(conversationId).text;
        store.drafts.set(conversationId, { text: before + text });
      },
      focus() {
        const { area, root } = latest.current;
        (area.current ?? root.current?.querySelector('button'))?.focus();
      },
      openTemplates: () => latest.current.openTemplates?.(),
      addFiles: (files: readonly File[]) => latest.current.addFiles?.(files),
    };
    composer.current = handle;
    for (const tell of latest.current.told.current.splice(0)) tell(handle);
    return () => {
      if (composer.current === handle) composer.current = null;
    };
  }, [composer, store]);
}
