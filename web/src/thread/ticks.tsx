/** How far a message of ours has come: a different picture each, and words for those who do not see it. */
import { useLingui } from '@lingui/react/macro';
import { Check, CheckCheck, CircleAlert, Clock } from 'lucide-react';
import type { Message } from '../api/types';

const SIZE = 'lc:size-4 lc:shrink-0';

export function Ticks({ status }: { status: Message['status'] }) {
  const { t } = useLingui();
  switch (status) {
    case 'pending':
      return <Clock role="img" aria-label={t`Waiting`} className={`${SIZE} lc:p-px`} />;
    case 'sent':
      return <Check role="img" aria-label={t`Sent`} className={SIZE} />;
    case 'delivered':
      return <CheckCheck role="img" aria-label={t`Delivered`} className={SIZE} />;
    case 'read':
      return <CheckCheck role="img" aria-label={t`Read`} className={`${SIZE} lc:text-read lc:stroke-[2.75]`} />;
    case 'failed':
      return <CircleAlert role="img" aria-label={t`Not sent`} className={`${SIZE} lc:text-danger`} />;
    default:
      return null;
  }
}
