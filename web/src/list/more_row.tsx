import { useLingui } from '@lingui/react/macro';
import { RotateCw } from 'lucide-react';
import { Button } from '../ui/button';
import { Spinner } from '../ui/spinner';

export const MORE_HEIGHT = 52;

/** The last row while more is to come. */
export function MoreRow({ hasFailed, onRetry }: { hasFailed: boolean; onRetry: () => void }) {
  const { t } = useLingui();
  return (
    <div role="gridcell" className="lc:flex lc:grow lc:items-center lc:justify-center lc:gap-2 lc:text-soft">
      {hasFailed ? (
        <>
          <span>{t`More could not be loaded.`}</span>
          <Button className="lc:px-2 lc:text-accent" onClick={onRetry}>
            <RotateCw aria-hidden className="lc:size-4" />
            {t`Try again`}
          </Button>
        </>
      ) : (
        <Spinner label={t`More is being loaded`} />
      )}
    </div>
  );
}
