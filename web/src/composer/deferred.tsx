/** Parts that are loaded when they are wanted for the first time. Where that fails, which it does offline, the agent is told and nothing breaks. */
import { useLingui } from '@lingui/react/macro';
import { type ComponentType, useEffect, useRef, useState } from 'react';
import { useUi } from '../ui/context';

const loaded = new WeakMap<object, unknown>();

/** Draws what `load` gives, with `props`; `load` is the same function each time. */
export function Deferred<P extends object>({ load, props, onFail }: { load: () => Promise<ComponentType<P>>; props: P; onFail: () => void }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const [Part, setPart] = useState<ComponentType<P> | undefined>(() => loaded.get(load) as ComponentType<P> | undefined);
  const fail = useRef(() => {});
  useEffect(() => {
    fail.current = () => {
      toast({ text: t`This could not be loaded. Check the connection and try again.`, tone: 'danger' });
      onFail();
    };
  });
  useEffect(() => {
    if (Part) return;
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
  }, [Part, load]);
  return Part ? <Part {...props} /> : null;
}
