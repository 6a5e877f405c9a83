import { useLingui } from '@lingui/react/macro';
import type { Status } from '../core/live';
import { useConnection } from '../hooks/misc';
import { useFormat } from '../i18n/format';
import { cn } from '../ui/cn';
import { useOnline } from './use_online';

const DOTS: Readonly<Record<Status['state'], string>> = {
  live: 'lc:bg-accent',
  connecting: 'lc:border-2 lc:border-field',
  offline: 'lc:bg-warning',
  session_expired: 'lc:bg-danger',
};

/** Whether everything is here, and up to when: small, for a footer or a header. */
export function ConnectionState({ className }: { className?: string }) {
  const { t } = useLingui();
  const format = useFormat();
  const connection = useConnection();
  const { upToDateAt } = connection;
  const state = useOnline() || connection.state === 'session_expired' ? connection.state : 'offline';
  const at = upToDateAt === null ? null : format.time(upToDateAt);
  const words = () => {
    if (state === 'session_expired') return t`Signed out`;
    if (state === 'offline') return at === null ? t`Offline` : t`Offline since ${at}`;
    if (state === 'connecting') return t`Connecting…`;
    return at === null ? t`Up to date` : t`Up to date ${at}`;
  };
  return (
    <span className={cn('lc:inline-flex lc:items-center lc:gap-1.5 lc:text-xs lc:whitespace-nowrap lc:text-soft', className)}>
      <span aria-hidden className={cn('lc:size-2 lc:shrink-0 lc:rounded-full', DOTS[state])} />
      {words()}
    </span>
  );
}
