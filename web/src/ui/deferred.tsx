/**
 * Parts that are files of their own, fetched when they are first wanted, or before that, when nothing else is to do. A file that does not
 * come, because the network is away or a newer version of the page has replaced it, costs its part and nothing else.
 */
import { Trans, useLingui } from '@lingui/react/macro';
import { RotateCw } from 'lucide-react';
import { type ComponentType, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useStore } from '../store/context';
import { Button } from './button';
import { cn } from './cn';
import { useUi } from './context';

export type Part<P extends object> = ComponentType<P> & {
  /** Rejects where the file does not come; the next time it is asked for again. */
  preload(): Promise<void>;
};

interface Looks<P extends object> {
  /** What stands in its place until it is there. */
  readonly Waiting?: ComponentType<P> | undefined;
  readonly Failed: ComponentType<{ readonly props: P; readonly retry: () => void }>;
}

function part<P extends object>(load: () => Promise<ComponentType<P>>, { Waiting, Failed }: Looks<P>): Part<P> {
  let loaded: ComponentType<P> | undefined;
  let loading: Promise<void> | undefined;
  const preload = async () => {
    // Chromium remembers until the page is loaded anew that a module did not come: it is not asked for while it cannot.
    if (!loading && !navigator.onLine) throw new TypeError('The browser is offline');
    loading ??= load().then(
      (part) => {
        loaded = part;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };
  const Deferred = (props: P): ReactNode => {
    const [Here, setHere] = useState(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    const [attempt, setAttempt] = useState(0);
    useEffect(() => {
      if (Here) return;
      let isCurrent = true;
      preload().then(
        () => isCurrent && setHere(() => loaded),
        () => isCurrent && setFailed(true),
      );
      return () => {
        isCurrent = false;
      };
    }, [Here, attempt]);
    const retry = useCallback(() => {
      setFailed(false);
      setAttempt((attempt) => attempt + 1);
    }, []);
    useEffect(() => {
      if (!hasFailed) return;
      addEventListener('online', retry);
      return () => removeEventListener('online', retry);
    }, [hasFailed, retry]);
    if (Here) return <Here {...props} />;
    if (hasFailed) return <Failed props={props} retry={retry} />;
    return Waiting ? <Waiting {...props} /> : null;
  };
  return Object.assign(Deferred, { preload });
}

/** A part that has a place of its own: there it is said that it did not come. */
export function deferred<P extends object>(
  load: () => Promise<ComponentType<P>>,
  { Waiting, className }: Pick<Looks<P>, 'Waiting'> & { /** Of what is said there. */ readonly className?: string },
): Part<P> {
  return part(load, { Waiting, Failed: ({ retry }) => <Missing className={className} onRetry={retry} /> });
}

/** A part that is opened over others: where it does not come it is closed, and that is said. */
export function deferredOverlay<P extends { readonly onClose: () => void }>(load: () => Promise<ComponentType<P>>): Part<P> {
  return part<P>(load, { Failed: ({ props }) => <Unopened onClose={props.onClose} /> });
}

/** A part that nobody looks for where it does not come; it is tried again once the browser is online. */
export function deferredQuietly<P extends object>(load: () => Promise<ComponentType<P>>): Part<P> {
  return part(load, { Failed: () => null });
}

/** Says that a part did not come. */
function Missing({ className, onRetry }: { className: string | undefined; onRetry: () => void }) {
  const { t } = useLingui();
  return (
    <div role="alert" className={cn('lc:flex lc:min-h-0 lc:min-w-0 lc:grow lc:flex-col lc:items-center lc:justify-center lc:gap-2 lc:p-4 lc:text-center', className)}>
      <p className="lc:max-w-72 lc:text-balance">{t`This could not be loaded. Check your connection, and try again.`}</p>
      <Button tone="outline" onClick={onRetry}>
        <RotateCw aria-hidden className="lc:size-4" />
        <Trans>Try again</Trans>
      </Button>
    </div>
  );
}

function Unopened({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const isTold = useRef(false);
  useEffect(() => {
    if (isTold.current) return;
    isTold.current = true;
    toast({ text: t`This could not be loaded. Check your connection, and try again.`, tone: 'danger' });
    onClose();
  }, [t, toast, onClose]);
  return null;
}

/** By then also an empty or broken start is over. */
const LATEST_MS = 3_000;

/** Fetches parts once the first conversations are drawn and the browser has nothing else to do: from then on they open at once, also offline. */
export function usePreload(...parts: readonly Pick<Part<never>, 'preload'>[]): void {
  const { queries } = useStore();
  const wanted = useRef(parts);
  useEffect(() => {
    const cache = queries.getQueryCache();
    const isDrawn = () => cache.findAll({ queryKey: ['conversations'] }).some(({ state }) => state.data !== undefined);
    let idle: () => void = () => {};
    const fetch = () => {
      stop();
      idle = whenIdle(() => {
        // In vain is no harm: it is asked for again when it is wanted.
        for (const { preload } of wanted.current) preload().catch(() => {});
      });
    };
    const unsubscribe = cache.subscribe(() => isDrawn() && fetch());
    const timer = setTimeout(fetch, LATEST_MS);
    const stop = () => {
      unsubscribe();
      clearTimeout(timer);
    };
    if (isDrawn()) fetch();
    return () => {
      stop();
      idle();
    };
  }, [queries]);
}

/** Also the frame that shows what was drawn last comes first. */
function whenIdle(run: () => void): () => void {
  let stop = () => {};
  const frame = requestAnimationFrame(() => {
    // Safari has none.
    if (typeof requestIdleCallback === 'undefined') {
      const timer = setTimeout(run, 200);
      stop = () => clearTimeout(timer);
      return;
    }
    const handle = requestIdleCallback(run, { timeout: 2_000 });
    stop = () => cancelIdleCallback(handle);
  });
  return () => {
    cancelAnimationFrame(frame);
    stop();
  };
}
