/** What can be done with one conversation, at the place where it was asked for. */
import { useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, Mail, MailOpen, SquareCheck, UserRound } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { Conversation } from '../api/types';
import { useUi } from '../ui/context';
import { MenuContent, MenuItem, MenuSeparator } from '../ui/menu';
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
  /** null: it is closed. It stays in place, because only then does it know whether keys or a pointer open it, and what to focus. */
  at: MenuPlace | null;
  onClose: () => void;
  onChange: (kind: Kind) => void;
  onSelect: (() => void) | undefined;
  onContact: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const { dir } = useUi();
  return (
    <DropdownMenu.Root dir={dir} modal={false} open={at !== null} onOpenChange={(open) => !open && onClose()}>
      <DropdownMenu.Trigger asChild>
        <span aria-hidden className="lc:pointer-events-none lc:fixed lc:size-0" style={{ left: at?.x, top: at?.y }} />
      </DropdownMenu.Trigger>
      {at && (
        <MenuContent
          align="start"
          label={t`Conversation`}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            giveBack(at.from);
          }}
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
        </MenuContent>
      )}
    </DropdownMenu.Root>
  );
}

/** What was chosen may have taken the focus elsewhere. */
function giveBack(element: Element | null): void {
  const focused = document.activeElement;
  const isNowhere = focused === null || focused === document.body || focused.closest('[role=menu]') !== null;
  if (isNowhere && element instanceof HTMLElement) element.focus({ preventScroll: true });
}
