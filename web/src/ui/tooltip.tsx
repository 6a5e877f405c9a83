import { Tooltip as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { useUi } from './context';

/** A hint at what its child does, when that is pointed at or has the focus. */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }) {
  const { portal } = useUi();
  if (!text) return children;
  return (
    <Radix.Root delayDuration={500}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal container={portal}>
        <Radix.Content
          sideOffset={6}
          collisionPadding={8}
          className="lc:z-50 lc:max-w-60 lc:rounded-md lc:bg-text lc:px-2 lc:py-1 lc:text-xs lc:text-surface lc:shadow-raised"
        >
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
