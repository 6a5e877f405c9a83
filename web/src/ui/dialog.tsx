import { useLingui } from '@lingui/react/macro';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { IconButton } from './button';
import { cn } from './cn';
import { useUi } from './context';
import { useFocusBack } from './focus_back';

/** A dialog over the page; on narrow screens it takes the whole width at the bottom. */
export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  footer,
  className,
  onCloseFocus,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  className?: string;
  /** Takes the focus when it closes, instead of what had it before. */
  onCloseFocus?: () => void;
}) {
  const { portal } = useUi();
  const { t } = useLingui();
  const focusBack = useFocusBack(open);
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal container={portal}>
        <Radix.Overlay className="lc:fixed lc:inset-0 lc:z-40 lc:bg-overlay" />
        <Radix.Content
          {...(description === undefined && { 'aria-describedby': undefined })}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            (onCloseFocus ?? focusBack)();
          }}
          className={cn(
            'lc:fixed lc:inset-x-0 lc:bottom-0 lc:z-40 lc:mx-auto lc:flex lc:max-h-[92dvh] lc:w-full lc:max-w-lg lc:flex-col lc:rounded-t-2xl lc:bg-raised lc:text-text lc:shadow-raised lc:outline-none lc:sm:bottom-auto lc:sm:top-[8dvh] lc:sm:max-h-[84dvh] lc:sm:rounded-2xl',
            className,
          )}
        >
          <header className="lc:flex lc:items-center lc:gap-2 lc:ps-5 lc:pe-3 lc:pt-3 lc:pb-2">
            <Radix.Title className="lc:grow lc:text-base lc:font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label={t`Close`} hint={null}>
                <X />
              </IconButton>
            </Radix.Close>
          </header>
          {description !== undefined && <Radix.Description className="lc:px-5 lc:pb-2 lc:text-soft">{description}</Radix.Description>}
          <div className="lc:min-h-0 lc:grow lc:overflow-y-auto lc:px-5 lc:pt-1 lc:pb-4">{children}</div>
          {footer && <footer className="lc:flex lc:flex-wrap lc:justify-end lc:gap-2 lc:border-t lc:border-line lc:px-5 lc:py-3">{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
