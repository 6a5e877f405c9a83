import { useCallback, useRef, useState } from 'react';

/** Loading what follows, once at a time: whether it is under way, and whether it failed; after that it waits for somebody to ask again. */
export function useMore(load: () => Promise<void>): { isLoading: boolean; hasFailed: boolean; more: () => void; again: () => void } {
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle');
  const now = useRef(state);
  const run = useCallback(() => {
    now.current = 'loading';
    setState('loading');
    const end = (state: 'idle' | 'failed') => {
      now.current = state;
      setState(state);
    };
    load().then(
      () => end('idle'),
      () => end('failed'),
    );
  }, [load]);
  const more = useCallback(() => {
    if (now.current === 'idle') run();
  }, [run]);
  return { isLoading: state === 'loading', hasFailed: state === 'failed', more, again: run };
}
