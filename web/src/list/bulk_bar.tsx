/** What can be done with the conversations that are selected, in the place of the filters. */
import { Plural, useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, CheckCheck, Mail, MailOpen, X } from 'lucide-react';
import { type KeyboardEvent, useRef } from 'react';
import type { Conversation } from '../api/types';
import { IconButton } from '../ui/button';
import { useUi } from '../ui/context';
import { concerns, type Kind } from './use_changes';

export function BulkBar({
  selected,
  isAll,
  isBusy,
  onChange,
  onSelectAll,
  onClear,
}: {
  selected: readonly Conversation[];
  /** Whether everything that is loaded is selected. */
  isAll: boolean;
  isBusy: boolean;
  onChange: (kind: Kind) => void;
  onSelectAll: () => void;
  onClear: () => void;
}) {
  const { t } = useLingui();
  const { dir } = useUi();
  const bar = useRef<HTMLDivElement>(null);
  const count = selected.length;
  const can = (kind: Kind) => !isBusy && selected.some((conversation) => concerns(kind, conversation));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') return onClear();
    const by = { ArrowRight: dir === 'rtl' ? -1 : 1, ArrowLeft: dir === 'rtl' ? 1 : -1 }[event.key];
    const buttons = [...(bar.current?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    if (by !== undefined && at >= 0) buttons[(at + by + buttons.length) % buttons.length]?.focus();
  };
  return (
    <div ref={bar} role="toolbar" aria-label={t`Selected conversations`} className="lc:mx-2 lc:mb-2 lc:flex lc:items-center lc:rounded-xl lc:bg-accent-soft lc:px-1" onKeyDown={onKeyDown}>
      <IconButton label={t`End the selection`} onClick={onClear}>
        <X />
      </IconButton>
      <span className="lc:grow lc:truncate lc:px-1 lc:font-medium lc:tabular-nums">
        <Plural value={count} one="# selected" other="# selected" />
      </span>
      <IconButton label={t`Select all that are loaded`} disabled={isAll} onClick={onSelectAll}>
        <CheckCheck />
      </IconButton>
      {can('read') || !can('unread') ? (
        <IconButton label={t`Mark as read`} disabled={!can('read')} onClick={() => onChange('read')}>
          <MailOpen />
        </IconButton>
      ) : null}
      {can('unread') && (
        <IconButton label={t`Mark as unread`} onClick={() => onChange('unread')}>
          <Mail />
        </IconButton>
      )}
      {can('activate') && (
        <IconButton label={t`Back to the inbox`} onClick={() => onChange('activate')}>
          <ArchiveRestore />
        </IconButton>
      )}
      {can('archive') && (
        <IconButton label={t`Archive`} onClick={() => onChange('archive')}>
          <Archive />
        </IconButton>
      )}
    </div>
  );
}
