/** The session has ended: the inbox stays behind, with everything that was written in it, until its user is back. */
import { useLingui } from '@lingui/react/macro';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useEffect, useRef } from 'react';
import { useStore } from '../store/context';
import { IconButton } from '../ui/button';
import { useUi } from '../ui/context';
import type { Session } from './session';

export function Expired({ isExpired, session, onClose, children }: { isExpired: boolean; session: Session; onClose: () => void; children: ReactNode }) {
  const { portal } = useUi();
  const { t } = useLingui();
  const store = useStore();
  const known = useRef(session);
  useEffect(() => {
    if (known.current === session) return;
    known.current = session;
    // The same user is back: do not wait for the next poll. It fails only where this is closed first.
    store.live.catchUp().catch(() => {});
  }, [session, store]);
  return (
    <Radix.Root open={isExpired} onOpenChange={(open) => !open && onClose()}>
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
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
