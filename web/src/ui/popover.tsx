import { Popover as Radix } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { cn } from './cn';
import { useUi } from './context';

/** Something that stands beside its `trigger`, a button, until it is left. */
export function Popover({
  trigger,
  children,
  label,
  className,
  onCloseFocus,
  ...open
}: {
  trigger: ReactElement;
  children: ReactNode;
  label: string;
  className?: string;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  /** Takes the focus instead of the trigger when it closes. */
  onCloseFocus?: () => void;
}) {
  const { portal } = useUi();
  return (
    <Radix.Root {...open}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal container={portal}>
        <Radix.Content
          aria-label={label}
          sideOffset={6}
          collisionPadding={8}
          {...(onCloseFocus && {
            onCloseAutoFocus: (event) => {
              event.preventDefault();
              onCloseFocus();
            },
          })}
          className={cn('lc:z-50 lc:max-w-[calc(100vw-16px)] lc:rounded-xl lc:border lc:border-line lc:bg-raised lc:text-text lc:shadow-raised', className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
