/** Who the conversation is with, until when they can be answered freely, and what can be done with it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, ArrowLeft, Copy, EllipsisVertical, MailOpen, PanelRight, Search, Timer, TimerOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Conversation } from '../api/types';
import { useActions } from '../hooks/actions';
import { useFormat } from '../i18n/format';
import { time, WINDOW_CLOSING_MS } from '../store/fold';
import { Avatar, nameOf } from '../ui/avatar';
import { IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { useCopy } from '../ui/use_copy';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';

export function Header({ conversation, onSearch }: { conversation: Conversation | undefined; onSearch: () => void }) {
  const { t } = useLingui();
  const ui = useUi();
  const { features, components } = ui;
  return (
    <header className="lc:shrink-0 lc:border-b lc:border-line lc:bg-surface">
      <div className="lc:flex lc:h-15 lc:items-center lc:gap-1 lc:px-1.5 lc:@min-[700px]:ps-4 lc:@min-[700px]:pe-3">
        <IconButton label={t`Back to the conversations`} className="lc:@min-[700px]:hidden lc:size-10" onClick={() => ui.openConversation(null)}>
          <ArrowLeft className="lc:rtl:-scale-x-100" />
        </IconButton>
        {conversation ? <Who conversation={conversation} /> : <Skeleton />}
        {conversation && (
          <div className="lc:flex lc:shrink-0 lc:items-center lc:@min-[480px]:gap-0.5">
            {components.ThreadActions && <components.ThreadActions conversation={conversation} />}
            {features.search !== false && (
              <IconButton label={t`Search in this conversation`} onClick={onSearch}>
                <Search />
              </IconButton>
            )}
            {features.contactPanel !== false && (
              <IconButton label={ui.contactOpen ? t`Hide the contact` : t`Show the contact`} aria-pressed={ui.contactOpen} onClick={() => ui.setContactOpen(!ui.contactOpen)}>
                <PanelRight className="lc:rtl:-scale-x-100" />
              </IconButton>
            )}
            <More conversation={conversation} />
          </div>
        )}
      </div>
    </header>
  );
}

function Who({ conversation }: { conversation: Conversation }) {
  const { features, setContactOpen, contactOpen } = useUi();
  const name = nameOf(conversation);
  const handle = [conversation.customer_phone, conversation.customer_username && `@${conversation.customer_username}`].find((one) => one && one !== name);
  const inner = (
    <>
      <Avatar conversation={conversation} className="lc:size-9!" />
      <div className="lc:min-w-0 lc:grow">
        <h2 className="lc:truncate lc:font-semibold">
          <bdi>{name}</bdi>
        </h2>
        <p className="lc:flex lc:items-center lc:gap-2 lc:overflow-hidden lc:text-xs lc:text-soft">
          {handle && (
            <bdi dir="ltr" className="lc:hidden lc:min-w-0 lc:truncate lc:@min-[480px]:inline">
              {handle}
            </bdi>
          )}
          <WindowState expiresAt={conversation.window_expires_at} />
        </p>
      </div>
    </>
  );
  const look = 'lc:flex lc:h-12 lc:min-w-0 lc:grow lc:items-center lc:gap-3 lc:overflow-hidden lc:rounded-lg lc:px-1 lc:text-start';
  if (features.contactPanel === false) return <div className={look}>{inner}</div>;
  // The panel has a button of its own; this is a larger place to press for the mouse and the finger.
  return (
    <div className={cn(look, 'lc:cursor-pointer')} onClick={() => setContactOpen(!contactOpen)}>
      {inner}
    </div>
  );
}

function WindowState({ expiresAt }: { expiresAt: string | null | undefined }) {
  const now = useMinute();
  const format = useFormat();
  if (!expiresAt) return null;
  const left = time(expiresAt) - now;
  const look = 'lc:inline-flex lc:min-w-0 lc:shrink-0 lc:items-center lc:gap-1 lc:whitespace-nowrap';
  if (left <= 0) {
    return (
      <span className={look}>
        <TimerOff aria-hidden className="lc:size-3.5" />
        <Trans>Templates only</Trans>
      </span>
    );
  }
  return (
    <span className={cn(look, left <= WINDOW_CLOSING_MS && 'lc:font-medium lc:text-warning')}>
      <Timer aria-hidden className="lc:size-3.5" />
      <Trans>{format.left(left)} left</Trans>
    </span>
  );
}

/** Now, as it is each half minute: what counts minutes is right to the half of one. */
function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function More({ conversation }: { conversation: Conversation }) {
  const { t } = useLingui();
  const ui = useUi();
  const actions = useActions();
  const { id, status, customer_phone: phone } = conversation;
  const failed = () => ui.toast({ text: t`That did not work. Try again.`, tone: 'danger' });
  const setStatus = (next: 'active' | 'archived') =>
    actions.setStatus(id, next).then(() => {
      if (next === 'archived') ui.toast({ text: t`Archived`, action: { label: t`Undo`, run: () => void setStatus('active') } });
    }, failed);
  const copy = useCopy();
  return (
    <Menu
      trigger={
        <IconButton label={t`More about this conversation`}>
          <EllipsisVertical />
        </IconButton>
      }
    >
      {status === 'archived' ? (
        <MenuItem icon={<ArchiveRestore />} onSelect={() => void setStatus('active')}>
          <Trans>Take out of the archive</Trans>
        </MenuItem>
      ) : (
        <MenuItem icon={<Archive />} onSelect={() => void setStatus('archived')}>
          <Trans>Archive</Trans>
        </MenuItem>
      )}
      <MenuItem icon={<MailOpen />} onSelect={() => void actions.markUnread(id).catch(failed)}>
        <Trans>Mark as unread</Trans>
      </MenuItem>
      {phone && (
        <>
          <MenuSeparator />
          <MenuItem icon={<Copy />} onSelect={() => void copy(phone)}>
            <Trans>Copy the phone number</Trans>
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

function Skeleton() {
  return (
    <div aria-hidden className="lc:flex lc:grow lc:items-center lc:gap-3 lc:px-1">
      <span className="lc:size-9 lc:rounded-full lc:bg-hover" />
      <span className="lc:h-4 lc:w-32 lc:rounded lc:bg-hover" />
    </div>
  );
}
