import { useLingui } from '@lingui/react/macro';
import { useMemo } from 'react';
import type { CommandId } from './shortcuts';

/** What each command is called, in the palette and in the sheet of shortcuts. */
export function useCommandLabels(): Readonly<Record<CommandId, string>> {
  const { t } = useLingui();
  return useMemo(
    () => ({
      palette: t`Find a conversation or an action`,
      search: t`Search`,
      nextConversation: t`Next conversation`,
      previousConversation: t`Previous conversation`,
      nextUnread: t`Next unread conversation`,
      archiveAndNext: t`Archive and go to the next`,
      markUnread: t`Mark as unread`,
      reply: t`Write a reply`,
      templates: t`Send a template`,
      searchInConversation: t`Search in this conversation`,
      contactPanel: t`Show or hide contact details`,
      shortcuts: t`Keyboard shortcuts`,
      settings: t`Settings`,
    }),
    [t],
  );
}
