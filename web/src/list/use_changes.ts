/** What an agent does to conversations beside answering them: at once on the screen, with a way back, and told where it failed. */
import { plural } from '@lingui/core/macro';
import { useLingui } from '@lingui/react/macro';
import { useCallback } from 'react';
import type { Conversation } from '../api/types';
import { useActions } from '../hooks/actions';
import { useUi } from '../ui/context';
import { inTurn } from './in_turn';

export type Kind = 'archive' | 'activate' | 'read' | 'unread';

const BACK: Record<Kind, Kind> = { archive: 'activate', activate: 'archive', read: 'unread', unread: 'read' };
const AT_ONCE = 4;

/** Whether it would change anything. */
export function concerns(kind: Kind, conversation: Conversation): boolean {
  switch (kind) {
    case 'archive':
      return conversation.status !== 'archived';
    case 'activate':
      return conversation.status === 'archived';
    case 'read':
      return conversation.unread_count > 0;
    case 'unread':
      return conversation.unread_count === 0;
  }
}

/** Does `kind` to those of `conversations` that it concerns; resolves when all have been tried. */
export function useChanges(): (kind: Kind, conversations: readonly Conversation[]) => Promise<void> {
  const { t } = useLingui();
  const { toast } = useUi();
  const actions = useActions();
  return useCallback(
    async (kind, conversations) => {
      const work: Record<Kind, (id: number) => Promise<void>> = {
        archive: (id) => actions.setStatus(id, 'archived'),
        activate: (id) => actions.setStatus(id, 'active'),
        read: (id) => actions.markRead(id),
        unread: (id) => actions.markUnread(id),
      };
      const told = (kind: Kind, count: number): string => {
        switch (kind) {
          case 'archive':
            return t`${plural(count, { one: '# conversation archived', other: '# conversations archived' })}`;
          case 'activate':
            return t`${plural(count, { one: '# conversation back in the inbox', other: '# conversations back in the inbox' })}`;
          case 'read':
            return t`${plural(count, { one: '# conversation marked as read', other: '# conversations marked as read' })}`;
          case 'unread':
            return t`${plural(count, { one: '# conversation marked as unread', other: '# conversations marked as unread' })}`;
        }
      };
      const tellFailed = (count: number, again: () => void) =>
        toast({
          text: t`${plural(count, { one: '# conversation could not be changed', other: '# conversations could not be changed' })}`,
          tone: 'danger',
          action: { label: t`Try again`, run: again },
          durationMs: 10_000,
        });
      const run = async (kind: Kind, ids: readonly number[], isBack: boolean): Promise<void> => {
        const { done, failed } = await inTurn(ids, AT_ONCE, work[kind]);
        if (done.length > 0) {
          toast({ text: told(kind, done.length), ...(!isBack && { action: { label: t`Undo`, run: () => void run(BACK[kind], done, true) } }) });
        }
        if (failed.length > 0) tellFailed(failed.length, () => void run(kind, failed, isBack));
      };
      const ids = conversations.filter((conversation) => concerns(kind, conversation)).map(({ id }) => id);
      if (ids.length > 0) await run(kind, ids, false);
    },
    [actions, t, toast],
  );
}
