/** What stands where there are no conversations: still to come, none, or not to be had. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Archive, CircleCheckBig, CloudOff, Hourglass, Inbox, MailCheck, type LucideIcon, PhoneOff, RotateCw, SearchX, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../ui/button';
import type { Filter } from './filters';
import { ROW_HEIGHT } from './row';

export function State({ icon: Icon, title, children, action }: { icon: LucideIcon; title: ReactNode; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="lc:flex lc:min-h-0 lc:grow lc:flex-col lc:items-center lc:justify-center lc:gap-2 lc:overflow-y-auto lc:px-6 lc:py-8 lc:text-center">
      <span className="lc:mb-1 lc:grid lc:size-14 lc:shrink-0 lc:place-items-center lc:rounded-full lc:bg-hover lc:text-soft">
        <Icon aria-hidden className="lc:size-6" />
      </span>
      <p className="lc:text-balance lc:font-semibold">{title}</p>
      {children && <p className="lc:max-w-72 lc:text-balance lc:text-soft">{children}</p>}
      {action && <div className="lc:mt-2">{action}</div>}
    </div>
  );
}

const WIDTHS = ['58%', '42%', '66%', '50%', '36%', '61%', '47%', '55%'];

/** Rows that are still to come. */
export function Skeleton() {
  const { t } = useLingui();
  return (
    <div role="status" aria-label={t`Conversations are being loaded`} className="lc:min-h-0 lc:grow lc:overflow-hidden">
      {WIDTHS.map((width) => (
        <div key={width} aria-hidden className="lc:flex lc:animate-pulse lc:items-center lc:gap-3 lc:px-3" style={{ height: ROW_HEIGHT }}>
          <span className="lc:size-11 lc:shrink-0 lc:rounded-full lc:bg-line" />
          <span className="lc:flex lc:grow lc:flex-col lc:gap-2.5">
            <span className="lc:h-3 lc:rounded-full lc:bg-line" style={{ width }} />
            <span className="lc:h-2.5 lc:w-4/5 lc:rounded-full lc:bg-line lc:opacity-70" />
          </span>
        </div>
      ))}
    </div>
  );
}

/** The list could not be loaded. */
export function Failed({ isOffline, onRetry }: { isOffline: boolean; onRetry: () => void }) {
  const { t } = useLingui();
  return (
    <State
      icon={isOffline ? WifiOff : CloudOff}
      title={isOffline ? t`No connection` : t`The conversations could not be loaded`}
      action={
        <Button tone="outline" onClick={onRetry}>
          <RotateCw aria-hidden className="lc:size-4" />
          {t`Try again`}
        </Button>
      }
    >
      {isOffline ? t`The conversations appear as soon as the network is back.` : t`If it goes on, tell those who look after this page.`}
    </State>
  );
}

export function NoNumbers() {
  const { t } = useLingui();
  return (
    <State icon={PhoneOff} title={t`No phone number yet`}>
      {t`Conversations appear here once a WhatsApp number is connected to your account.`}
    </State>
  );
}

export function Empty({ filter, number, onShowAll }: { filter: Filter; number: string | null; onShowAll: () => void }) {
  const { t } = useLingui();
  const icons: Record<Filter, LucideIcon> = { all: Inbox, unread: MailCheck, unanswered: CircleCheckBig, closing: Hourglass, archived: Archive };
  const titles: Record<Filter, string> = {
    all: t`No conversations yet`,
    unread: t`Nothing is unread`,
    unanswered: t`Everybody has an answer`,
    closing: t`No window closes soon`,
    archived: t`Nothing is archived`,
  };
  const words: Record<Filter, ReactNode> = {
    all:
      number === null ? (
        t`When a customer writes, the conversation appears here.`
      ) : (
        <Trans>
          When a customer writes to <bdi>{number}</bdi>, the conversation appears here.
        </Trans>
      ),
    unread: t`New messages appear here as they arrive.`,
    unanswered: t`Customers who wait for an answer appear here.`,
    closing: t`Conversations that can be answered for less than 4 hours appear here.`,
    archived: t`What you archive is kept here, out of the way.`,
  };
  return (
    <State
      icon={icons[filter]}
      title={titles[filter]}
      action={
        filter !== 'all' && (
          <Button tone="outline" onClick={onShowAll}>
            {t`Show all conversations`}
          </Button>
        )
      }
    >
      {words[filter]}
    </State>
  );
}

export function NothingFound({ text, onClear }: { text: string; onClear: () => void }) {
  const { t } = useLingui();
  return (
    <State
      icon={SearchX}
      title={
        <Trans>
          Nothing found for “<bdi>{text}</bdi>”
        </Trans>
      }
      action={
        <Button tone="outline" onClick={onClear}>
          {t`Clear the search`}
        </Button>
      }
    >
      {t`Names, numbers and the words of messages are searched.`}
    </State>
  );
}
