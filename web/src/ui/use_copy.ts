import { useLingui } from '@lingui/react/macro';
import { useCallback } from 'react';
import { useUi } from './context';

/** Puts a text into the clipboard, and says whether that went well. */
export function useCopy(): (text: string) => void {
  const { t } = useLingui();
  const { toast } = useUi();
  return useCallback(
    (text) => {
      // Where the page is not served safely there is no clipboard.
      const work = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error('There is no clipboard'));
      work.then(
        () => toast({ text: t`Copied`, durationMs: 2_500 }),
        () => toast({ text: t`It could not be copied.`, tone: 'danger' }),
      );
    },
    [t, toast],
  );
}
