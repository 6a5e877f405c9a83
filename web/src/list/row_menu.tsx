/** What can be done with one conversation, at the place where it was asked for. */
import { useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, Mail, MailOpen, SquareCheck, UserRound } from 'lucide-react';
import { useRef } from 'react';
import type { Conversation } from '../api/types';
import { MenuItem, MenuSeparator, OpenMenu } from '../ui/menu';
import type { Kind } from './use_changes';

export interface MenuPlace {
  readonly conversation: Conversation;
  readonly x: number;
  readonly y: number;
  /** Where the focus goes back to. */
  readonly from: Element | null;
}

export function RowMenu({
  at,
  onClose,
  onChange,
  onSelect,
  onContact,
}: {
  at: MenuPlace;
  onClose: () => void;
  onChange: (kind: Kind) => void;
  onSelect: (() => void) | undefined;
  onContact: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const place = useRef({ getBoundingClientRect: () => new DOMRect(at.x, at.y, 0, 0) });
  return (
    <OpenMenu
      label={t`Conversation`}
      anchor={place}
      align="start"
      isByKeys={at.from?.matches(':focus-visible') ?? false}
      onClose={onClose}
      onCloseFocus={() => giveBack(at.from)}
    >
      {at.conversation.unread_count > 0 ? (
        <MenuItem icon={<MailOpen />} onSelect={() => onChange('read')}>{t`Mark as read`}</MenuItem>
      ) : (
        <MenuItem icon={<Mail />} onSelect={() => onChange('unread')}>{t`Mark as unread`}</MenuItem>
      )}
      {at.conversation.status === 'archived' ? (
        <MenuItem icon={<ArchiveRestore />} onSelect={() => onChange('activate')}>{t`Back to the inbox`}</MenuItem>
      ) : (
        <MenuItem icon={<Archive />} onSelect={() => onChange('archive')}>{t`Archive`}</MenuItem>
      )}
      {(onContact || onSelect) && <MenuSeparator />}
      {onContact && <MenuItem icon={<UserRound />} onSelect={onContact}>{t`Contact`}</MenuItem>}
      {onSelect && <MenuItem icon={<SquareCheck />} onSelect={onSelect}>{t`Select`}</MenuItem>}
    </OpenMenu>
  );
}

/** What was chosen may have taken the focus elsewhere. */
function giveBack(element: Element | null): void {
  const focused = document.activeElement;
  const isNowhere = focused === null || focused === document.body || focused.closest('[role=menu]') !== null;
  if (isNowhere && element instanceof HTMLElement) element.focus({ preventScroll: true });
}
