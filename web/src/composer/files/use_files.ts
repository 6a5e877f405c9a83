/** Files into the draft: what cannot be sent is told at once, with the limit. */
import { useLingui } from '@lingui/react/macro';
import { useCallback, useRef, useState } from 'react';
import { useFormat } from '../../i18n/format';
import { useStore } from '../../store/context';
import { useUi } from '../../ui/context';
import { LARGEST } from '../limits';
import { prepare, sendAs } from './prepare';

/** So many messages in one go are enough. */
const MOST = 30;

export function useFiles(conversationId: number): { preparing: number; addFiles: (files: readonly File[], asDocuments?: boolean) => void } {
  const { t } = useLingui();
  const { toast } = useUi();
  const format = useFormat();
  const store = useStore();
  const [preparing, setPreparing] = useState(0);
  // One after the other: they stand in the order in which they were chosen, and large pictures are not all in memory at once.
  const queue = useRef(Promise.resolve());

  const addOne = useCallback(
    async (file: File, asDocument: boolean) => {
      const refused = (text: string) => toast({ text, tone: 'danger' });
      const name = file.name;
      try {
        const { file: prepared, refusal } = await prepare(file);
        if (refusal === 'empty') return refused(t`“${name}” is empty.`);
        if (refusal === 'too_large') {
          const most = format.bytes(LARGEST.document);
          return refused(t`“${name}” is too large: WhatsApp takes files of up to ${most}.`);
        }
        if (!prepared) return refused(t`“${name}” cannot be read.`);
        const { files } = store.drafts.get(conversationId);
        if (files.length >= MOST) return refused(t`${MOST} files at a time are the most.`);
        store.drafts.set(conversationId, { files: [...files, asDocument ? sendAs(prepared, 'document') : prepared] });
      } catch {
        refused(t`“${name}” cannot be read.`);
      } finally {
        setPreparing((count) => count - 1);
      }
    },
    [conversationId, format, store, t, toast],
  );

  const addFiles = useCallback(
    (files: readonly File[], asDocuments = false) => {
      setPreparing((count) => count + files.length);
      for (const file of files) queue.current = queue.current.then(() => addOne(file, asDocuments));
    },
    [addOne],
  );
  return { preparing, addFiles };
}
