import { useLingui } from '@lingui/react/macro';
import { X } from 'lucide-react';
import { Toast as Radix } from 'radix-ui';
import { Button, IconButton } from './button';
import { cn } from './cn';
import type { Toast } from './context';

export interface ShownToast extends Toast {
  readonly id: number;
}

/** Short messages at the bottom, with something to do about them. */
export function Toasts({ toasts, onClose }: { toasts: readonly ShownToast[]; onClose: (id: number) => void }) {
  const { t } = useLingui();
  return (
    <Radix.Provider label={t`Notice`} swipeDirection="down">
      {toasts.map(({ id, text, action, tone, durationMs = 6_000 }) => (
        <Radix.Root
          key={id}
          duration={durationMs}
          onOpenChange={(open) => !open && onClose(id)}
          className={cn(
            'lc:flex lc:items-center lc:gap-2 lc:rounded-xl lc:bg-text lc:ps-4 lc:pe-2 lc:py-2 lc:text-surface lc:shadow-raised',
            tone === 'danger' && 'lc:bg-danger lc:text-on-danger',
          )}
        >
          <Radix.Description className="lc:grow">{text}</Radix.Description>
          {action && (
            <Radix.Action altText={action.label} asChild onClick={action.run}>
              <Button className="lc:font-semibold lc:text-current! lc:hover:bg-transparent! lc:underline">{action.label}</Button>
            </Radix.Action>
          )}
          <Radix.Close asChild>
            <IconButton label={t`Close`} hint={null} className="lc:text-current! lc:hover:bg-transparent!">
              <X />
            </IconButton>
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="lc:fixed lc:inset-x-3 lc:bottom-3 lc:z-50 lc:mx-auto lc:flex lc:max-w-md lc:flex-col lc:gap-2 lc:outline-none" />
    </Radix.Provider>
  );
}
