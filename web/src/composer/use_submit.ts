/** Sends a draft: at once out of the way, back in its place where it could not even be kept. */
import { useLingui } from '@lingui/react/macro';
import { useCallback } from 'react';
import { useSend } from '../hooks/misc';
import { useStore } from '../store/context';
import type { Draft } from '../store/drafts';
import type { Outgoing, OutgoingFile } from '../store/outbox';
import { useUi } from '../ui/context';
import { messagesOf } from './outgoing';

/** Sends what a draft has; the draft is empty when this returns. */
export function useSubmit(conversationId: number): (draft: Draft, previewUrl: boolean) => void {
  const { t } = useLingui();
  const { toast } = useUi();
  const store = useStore();
  const send = useSend(conversationId);
  return useCallback(
    (draft, previewUrl) => {
      const messages = messagesOf(draft, previewUrl);
      if (messages.length === 0) return;
      store.drafts.clear(conversationId);
      const work = async () => {
        let kept = 0;
        try {
          // In order: each is kept before the next.
          for (const { request, file } of messages) {
            await send(request, file, request.reply_to ? draft.replyTo : null);
            kept += 1;
          }
        } catch {
          const { text, files } = store.drafts.get(conversationId);
          const left = draft.files.slice(kept);
          // The text went with the first file, or it is the last message.
          const isTextLeft = kept === 0 || messages.length > draft.files.length;
          store.drafts.set(conversationId, {
            text: isTextLeft ? [draft.text, text].filter((part) => part !== '').join('\n') : text,
            files: [...left, ...files],
            ...(kept === 0 && draft.replyTo && { replyTo: draft.replyTo }),
          });
          toast({ text: t`This could not be sent. It is back in the text field.`, tone: 'danger' });
        }
      };
      void work();
    },
    [conversationId, send, store, t, toast],
  );
}

/** Sends a message that a dialog made; resolves to whether it was kept. */
export function useSendNow(conversationId: number): (request: Outgoing, file?: OutgoingFile | null) => Promise<boolean> {
  const { t } = useLingui();
  const { toast } = useUi();
  const send = useSend(conversationId);
  return useCallback(
    async (request, file = null) => {
      try {
        await send(request, file);
        return true;
      } catch {
        toast({ text: t`This could not be sent. Try again.`, tone: 'danger' });
        return false;
      }
    },
    [send, t, toast],
  );
}
