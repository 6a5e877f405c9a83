/** The session has ended: the inbox stays behind, with everything that was written in it, until its user is back. */
import { useLingui } from '@lingui/react/macro';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { IconButton } from '../ui/button';
import { useUi } from '../ui/context';
import { SignIn, type SignInWays } from './sign_in';

export function Expired({ ways, onClose }: { ways: SignInWays; onClose: () => void }) {
  const { portal } = useUi();
  const { t } = useLingui();
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal container={portal}>
        <Radix.Overlay className="lc:fixed lc:inset-0 lc:z-40 lc:bg-overlay" />
        <Radix.Content
          aria-labelledby="sign-in-title"
          aria-describedby={undefined}
          className="lc:fixed lc:inset-x-4 lc:top-[8dvh] lc:z-40 lc:mx-auto lc:max-h-[84dvh] lc:max-w-104 lc:overflow-y-auto lc:rounded-2xl lc:bg-raised lc:p-6 lc:shadow-raised lc:outline-none lc:sm:p-8"
        >
          <Radix.Title className="lc:sr-only">{t`Sign in again`}</Radix.Title>
          <Radix.Close asChild>
            <IconButton label={t`Close`} hint={null} className="lc:absolute lc:end-3 lc:top-3">
              <X />
            </IconButton>
          </Radix.Close>
          <SignIn ways={ways} isExpired />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
