/** What can be done with one conversation, at the place where it was asked for. */
import { useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, Mail, MailOpen, SquareCheck, UserRound } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useRef } from 'react';
import type { Conversation } from '../api/types';
import { useUi } from '../ui/context';
import { MenuContent, MenuItem, MenuSeparator } from '../ui/menu';
import type { Kind } from './use_changes';

export interface MenuPlace {
  readonly conversation: Conversation;
  readonly x: number;
  readonly y: number;
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
  const { dir } = useUi();
  const { conversation, x, y } = at;
  // Where the focus goes back to; the menu takes it as it opens.
  const from = useRef(document.activeElement);
  return (
    <DropdownMenu.Root dir={dir} modal={false} open onOpenChange={(open) => !open && onClose()}>
      <DropdownMenu.Trigger asChild>
        <span aria-hidden className="lc:pointer-events-none lc:fixed lc:size-0" style={{ left: x, top: y }} />
      </DropdownMenu.Trigger>
      <MenuContent
        align="start"
        label={t`Conversation`}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          if (from.current instanceof HTMLElement && (document.activeElement === document.body || document.activeElement === null)) from.current.focus({ preventScroll: true });
        }}
      >
        {conversation.unread_count > 0 ? (
          <MenuItem icon={<MailOpen />} onSelect={() => onChange('read')}>{t`Mark as read`}</MenuItem>
        ) : (
          <MenuItem icon={<Mail />} onSelect={() => onChange('unread')}>{t`Mark as unread`}</MenuItem>
        )}
        {conversation.status === 'archived' ? (
          <MenuItem icon={<ArchiveRestore />} onSelect={() => onChange('activate')}>{t`Back to the inbox`}</MenuItem>
        ) : (
          <MenuItem icon={<Archive />} onSelect={() => onChange('archive')}>{t`Archive`}</MenuItem>
        )}
        {(onContact || onSelect) && <MenuSeparator />}
        {onContact && <MenuItem icon={<UserRound />} onSelect={onContact}>{t`Contact`}</MenuItem>}
        {onSelect && <MenuItem icon={<SquareCheck />} onSelect={onSelect}>{t`Select`}</MenuItem>}
      </MenuContent>
    </DropdownMenu.Root>
  );
}
