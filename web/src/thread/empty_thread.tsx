import { Trans } from '@lingui/react/macro';
import { MessagesSquare } from 'lucide-react';

export function EmptyThread() {
  return (
    <div className="lc:grid lc:min-h-0 lc:grow lc:place-items-center lc:bg-wall lc:p-8">
      <div className="lc:flex lc:max-w-80 lc:flex-col lc:items-center lc:gap-3 lc:text-center">
        <span className="lc:grid lc:size-20 lc:place-items-center lc:rounded-full lc:bg-accent-soft">
          <MessagesSquare aria-hidden className="lc:size-9 lc:stroke-[1.5] lc:text-accent" />
        </span>
        <h2 className="lc:text-base lc:font-semibold">
          <Trans>Choose a conversation</Trans>
        </h2>
        <p className="lc:text-soft">
          <Trans>Its messages appear here. Those who wait longest are glad to be first.</Trans>
        </p>
      </div>
    </div>
  );
}
