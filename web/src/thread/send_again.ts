/** What is done about a message that was not sent; what fails is told. */
import { useLingui } from '@lingui/react/macro';
import { useCallback } from 'react';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { resendWords } from './error_words';

export function useSendAgain(): (messageId: string) => void {
  const { i18n } = useLingui();
  const { toast } = useUi();
  const { outbox } = useStore();
  return useCallback(
    (messageId) => void outbox.retry(messageId).catch((error: unknown) => toast({ text: i18n._(resendWords(error)), tone: 'danger' })),
    [outbox, i18n, toast],
  );
}

/** One that is just being sent stays. */
export function useDiscard(): (messageId: string) => void {
  const { t } = useLingui();
  const { toast } = useUi();
  const { outbox } = useStore();
  return useCallback((messageId) => void outbox.discard(messageId).catch(() => toast({ text: t`It could not be discarded. Try again.`, tone: 'danger' })), [outbox, t, toast]);
}
