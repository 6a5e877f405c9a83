/** One conversation in the list. It knows nothing of what is done with it: the list hears that of all its rows (see rows.tsx). */
import { Trans, useLingui } from '@lingui/react/macro';
import { Archive, Check, Ellipsis, Hourglass, Lock, MessageCircleReply, PenLine } from 'lucide-react';
import { memo } from 'react';
import type { Conversation } from '../api/types';
import { useFormat } from '../i18n/format';
import { time, WINDOW_CLOSING_MS } from '../store/fold';
import { Avatar, nameOf } from '../ui/avatar';
import { cn } from '../ui/cn';
import { oneLine } from './preview_of';
import { Preview } from './preview';

export const ROW_HEIGHT = 76;

const MINUTE_MS = 60_000;

export interface RowProps {
  conversation: Conversation;
  now: number;
  isOpen: boolean;
  /** Whether rows are being chosen, and this one is. */
  isSelecting: boolean;
  isSelected: boolean;
  canSelect: boolean;
  /** The draft's text; undefined where there is none. */
  draft: string | undefined;
  /** The number it came to, where that is not clear. */
  number: string | null;
  /** Whether it is told that it is archived: where both kinds stand together. */
  showArchived: boolean;
}

export const Row = memo(function Row({ conversation, now, isOpen, isSelecting, isSelected, canSelect, draft, number, showArchived }: RowProps) {
  const { t } = useLingui();
  const format = useFormat();
  const name = nameOf(conversation);
  const { unread_count: unread, last_message_time: at } = conversation;
  const windowLeft = time(conversation.window_expires_at) - now;
  const isClosing = windowLeft > 0 && windowLeft <= WINDOW_CLOSING_MS;
  const waiting = conversation.needs_reply && conversation.waiting_since ? format.left(Math.max(MINUTE_MS, now - time(conversation.waiting_since))) : null;
  const left = format.left(windowLeft);
  const isArchived = showArchived && conversation.status === 'archived';
  return (
    <>
      <div role="gridcell" className="lc:relative lc:shrink-0">
        {canSelect ? (
          <button
            type="button"
            role="checkbox"
            aria-checked={isSelected}
            aria-label={t`Select ${name}`}
            tabIndex={-1}
            data-act="select"
            className="lc:group/pick lc:relative lc:block lc:rounded-full lc:focus-visible:outline-2 lc:focus-visible:outline-accent"
          >
            <span className={isSelecting ? 'lc:opacity-0' : 'lc:group-focus-visible/pick:opacity-0 lc:pointer-fine:group-hover/pick:opacity-0'}>
              <Avatar conversation={conversation} />
            </span>
            <span
              className={cn(
                'lc:absolute lc:inset-0 lc:grid lc:place-items-center lc:rounded-full',
                isSelecting ? 'lc:opacity-100' : 'lc:opacity-0 lc:group-focus-visible/pick:opacity-100 lc:pointer-fine:group-hover/pick:opacity-100',
              )}
            >
              <span className={cn('lc:grid lc:size-5 lc:place-items-center lc:rounded-md lc:border-2', isSelected ? 'lc:border-accent lc:bg-accent lc:text-on-accent' : 'lc:border-field')}>
                {isSelected && <Check aria-hidden strokeWidth={3} className="lc:size-3.5" />}
              </span>
            </span>
          </button>
        ) : (
          <Avatar conversation={conversation} />
        )}
      </div>
      <div role="gridcell" className="lc:min-w-0 lc:grow">
        <div className="lc:flex lc:items-baseline lc:gap-2">
          <span className={cn('lc:min-w-0 lc:grow lc:truncate', unread > 0 ? 'lc:font-semibold' : 'lc:font-medium')}>
            <bdi>{name}</bdi>
          </span>
          {at && (
            <time dateTime={at} title={format.full(at)} className={cn('lc:shrink-0 lc:text-xs lc:group-has-[button:focus-visible]/row:opacity-0 lc:pointer-fine:group-hover/row:opacity-0', unread > 0 ? 'lc:font-medium lc:text-text' : 'lc:text-soft')}>
              {format.short(at, now)}
            </time>
          )}
        </div>
        <div className="lc:flex lc:h-5 lc:items-center lc:gap-1.5">
          <span className={cn('lc:flex lc:min-w-0 lc:grow lc:items-center lc:gap-1', unread > 0 ? 'lc:text-text' : 'lc:text-soft')}>
            {draft === undefined || isOpen ? (
              <Preview conversation={conversation} />
            ) : (
              <>
                <PenLine aria-hidden className="lc:size-3.5 lc:shrink-0 lc:text-danger" />
                <span className="lc:shrink-0 lc:text-danger">
                  <Trans comment="Before the text that the agent began to write">Draft:</Trans>
                </span>
                <span className="lc:min-w-0 lc:truncate lc:text-soft">
                  <bdi>{oneLine(draft) || t`Files`}</bdi>
                </span>
              </>
            )}
          </span>
          {unread > 0 && (
            <span
              role="img"
              aria-label={t`${unread} unread`}
              className="lc:grid lc:h-5 lc:min-w-5 lc:shrink-0 lc:place-items-center lc:rounded-full lc:bg-accent lc:px-1.5 lc:text-xs lc:font-semibold lc:text-on-accent lc:tabular-nums"
            >
              {unread > 99 ? t`99+` : format.number(unread)}
            </span>
          )}
        </div>
        <div className="lc:flex lc:h-4 lc:items-center lc:gap-3 lc:text-xs lc:whitespace-nowrap lc:text-soft lc:empty:hidden">
          {waiting !== null && (
            <Hint icon={<MessageCircleReply />} label={t`Waiting for an answer for ${waiting}`}>
              {waiting}
            </Hint>
          )}
          {isClosing && (
            <Hint icon={<Hourglass />} label={t`The customer service window closes in ${left}`} className="lc:font-medium lc:text-warning">
              <Trans comment="Time until a conversation's window closes, such as: 2h 5m left">{left} left</Trans>
            </Hint>
          )}
          {windowLeft <= 0 && <Hint icon={<Lock />} label={conversation.window_expires_at ? t`The customer service window is closed` : t`No customer service window: the customer has not written yet`} />}
          {isArchived && (
            <Hint icon={<Archive />} label={t`Archived`}>
              {t`Archived`}
            </Hint>
          )}
          {number !== null && (
            <span className="lc:ms-auto lc:min-w-0 lc:truncate">
              <bdi>{number}</bdi>
            </span>
          )}
        </div>
      </div>
      <div role="gridcell" className="lc:absolute lc:end-2.5 lc:top-2 lc:opacity-0 lc:group-has-[button:focus-visible]/row:opacity-100 lc:pointer-fine:group-hover/row:opacity-100">
        <button
          type="button"
          tabIndex={-1}
          data-act="menu"
          aria-haspopup="menu"
          aria-label={t`More for ${name}`}
          className="lc:grid lc:h-6 lc:w-8 lc:place-items-center lc:rounded-md lc:text-soft lc:hover:bg-line lc:hover:text-text lc:focus-visible:outline-2 lc:focus-visible:outline-accent lc:pointer-coarse:hidden"
        >
          <Ellipsis aria-hidden className="lc:size-4.5" />
        </button>
      </div>
    </>
  );
});

/** A picture with its meaning for those who point at it, or hear it. */
function Hint({ icon, label, className, children }: { icon: React.ReactNode; label: string; className?: string; children?: React.ReactNode }) {
  return (
    <span title={label} className={cn('lc:flex lc:shrink-0 lc:items-center lc:gap-1 lc:[&_svg]:size-3.5', className)}>
      <span aria-hidden className="lc:contents">
        {icon}
        {children}
      </span>
      <span className="lc:sr-only">{label}</span>
    </span>
  );
}
