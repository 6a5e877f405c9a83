/** Parts in files of their own, loaded when they are wanted for the first time. Where that fails, which it does offline and after a new release, the agent is told and nothing else breaks. */
import { Trans, useLingui } from '@lingui/react/macro';
import { CloudOff } from 'lucide-react';
import { type ComponentType, type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button';
import { useUi } from './context';

type Load<P> = () => Promise<ComponentType<P>>;

const loaded = new WeakMap<object, unknown>();

/** Loads a part before it is wanted; in vain is no harm. */
export async function preload<P extends object>(load: Load<P>): Promise<void> {
  try {
    loaded.set(load, await load());
  } catch {
    // It is tried again when it is wanted.
  }
}

/**
 * Draws what `load` gives, with `props`; `load` is the same function each time. Where it cannot be had, a part that was opened is closed by
 * `onFail`; without that its place says so, and offers to try again.
 */
export function Deferred<P extends object>({ load, props, waiting = null, onFail }: { load: Load<P>; props: P; waiting?: ReactNode; onFail?: () => void }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const [Part, setPart] = useState<ComponentType<P> | undefined>(() => loaded.get(load) as ComponentType<P> | undefined);
  const [hasFailed, setFailed] = useState(false);
  const fail = useRef(() => {});
  useEffect(() => {
    fail.current = () => {
      if (!onFail) return setFailed(true);
      toast({ text: t`This could not be loaded. Check the connection and try again.`, tone: 'danger' });
      onFail();
    };
  });
  useEffect(() => {
    if (Part || hasFailed) return;
    let current = true;
    load().then(
      (part) => {
        loaded.set(load, part);
        if (current) setPart(() => part);
      },
      () => current && fail.current(),
    );
    return () => {
      current = false;
    };
  }, [Part, hasFailed, load]);
  if (Part) return <Part {...props} />;
  return hasFailed ? <Unloaded onRetry={() => setFailed(false)} /> : waiting;
}

function Unloaded({ onRetry }: { onRetry: () => void }) {
  return (
    <div role="status" className="lc:flex lc:min-h-0 lc:grow lc:flex-col lc:items-center lc:justify-center lc:gap-3 lc:p-6 lc:text-center lc:text-soft">
      <CloudOff aria-hidden className="lc:size-8 lc:stroke-[1.5]" />
      <p>
        <Trans>This could not be loaded. Check the connection and try again.</Trans>
      </p>
      <Button tone="outline" onClick={onRetry}>
        <Trans>Try again</Trans>
      </Button>
    </div>
  );
}
