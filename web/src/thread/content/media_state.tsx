/** What stands in the place of a file that is not here, or not here yet. */
import { Trans, useLingui } from '@lingui/react/macro';
import { CloudOff, FileX2, RotateCw } from 'lucide-react';
import { type CSSProperties, useState } from 'react';
import type { Message } from '../../api/types';
import { cn } from '../../ui/cn';
import { useUi } from '../../ui/context';
import { Spinner } from '../../ui/spinner';
import { useView } from '../view';

/** Why a file cannot be shown: as the server has it, or because its link, or what it leads to, did not load. */
export type Absence = 'pending' | 'failed' | 'expired' | 'unreachable';

export function absenceOf(message: Message): Absence | null {
  const state = message.media?.state;
  if (state === 'pending' || state === 'failed' || state === 'expired') return state;
  return null;
}

export function MediaState({ message, absence, onRetry, className, style }: { message: Message; absence: Absence; onRetry?: () => void; className?: string; style?: CSSProperties }) {
  const { t } = useLingui();
  const ui = useUi();
  const { actions } = useView();
  const [isAsking, setAsking] = useState(false);
  const retry = () => {
    if (absence === 'unreachable') {
      onRetry?.();
      return;
    }
    setAsking(true);
    actions
      .retryMedia(message)
      .catch(() => ui.toast({ text: t`The file could not be fetched. Try again later.`, tone: 'danger' }))
      .finally(() => setAsking(false));
  };
  const isPending = absence === 'pending' || isAsking;
  return (
    <div className={cn('lc:flex lc:max-w-full lc:flex-col lc:items-center lc:justify-center lc:gap-2 lc:rounded-lg lc:bg-quote lc:p-3 lc:text-center lc:text-xs lc:text-soft', className)} style={style}>
      {isPending ? <Spinner /> : absence === 'unreachable' ? <CloudOff aria-hidden className="lc:size-6" /> : <FileX2 aria-hidden className="lc:size-6" />}
      <p>
        {isPending && <Trans>The file is being fetched…</Trans>}
        {!isPending && absence === 'failed' && <Trans>The file could not be fetched.</Trans>}
        {!isPending && absence === 'expired' && <Trans>The file is no longer at WhatsApp. Ask the customer to send it again.</Trans>}
        {!isPending && absence === 'unreachable' && <Trans>The file could not be loaded.</Trans>}
      </p>
      {!isPending && absence !== 'expired' && (
        <button type="button" className="lc:inline-flex lc:min-h-8 lc:items-center lc:gap-1.5 lc:rounded-lg lc:px-2.5 lc:font-medium lc:text-link lc:hover:bg-hover" onClick={retry}>
          <RotateCw aria-hidden className="lc:size-4" />
          <Trans>Try again</Trans>
        </button>
      )}
    </div>
  );
}
