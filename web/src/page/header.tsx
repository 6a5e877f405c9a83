/** The page's own bar: which number, how the connection is, who is signed in. */
import { plural } from '@lingui/core/macro';
import { Trans, useLingui } from '@lingui/react/macro';
import { CircleUserRound, LogOut, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { ConnectionState, SettingsButton, useSignOut } from '../around';
import { useOutboxTotals } from '../hooks/misc';
import { LOCALES } from '../i18n/i18n';
import { PhoneNumberSelect } from '../list/phone_number_select';
import { Button, IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { deferredOverlay, usePreload } from '../ui/deferred';
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from '../ui/menu';
import type { Theme } from '../ui/theme';
import { Mark } from './frame';
import { LANGUAGES, preferences, usePreferences } from './preferences';
import type { Session } from './session';

const Dialog = deferredOverlay(async () => (await import('../ui/dialog')).Dialog);

/** Where the service worker of notifications is. */
export const SERVICE_WORKER_URL = '/service_worker.js';

export function Header({ session, simulatorUrl }: { session: Session; simulatorUrl: string | null }) {
  const { conversationId } = useUi();
  const { t } = useLingui();
  return (
    <header
      className={cn(
        'lc:flex lc:h-13 lc:shrink-0 lc:items-center lc:gap-1.5 lc:border-b lc:border-line lc:bg-surface lc:ps-3 lc:pe-2 lc:@min-[700px]:gap-2.5 lc:@min-[700px]:ps-4',
        // On a phone the conversation has the whole height.
        conversationId !== null && 'lc:hidden lc:@min-[700px]:flex',
      )}
    >
      <h1 className="lc:flex lc:shrink-0 lc:items-center lc:gap-2.5 lc:font-semibold">
        <Mark className="lc:size-7" />
        <span className="lc:sr-only lc:@min-[900px]:not-sr-only">WABA Live Chat</span>
      </h1>
      <div className="lc:min-w-0 lc:grow">
        <PhoneNumberSelect />
      </div>
      <div className="lc:hidden lc:@min-[600px]:block">
        <ConnectionState />
      </div>
      {simulatorUrl !== null && (
        <a
          href={simulatorUrl}
          target="_blank"
          rel="noopener"
          aria-label={t`Customer's phone (opens a new tab)`}
          className="lc:hidden lc:size-9 lc:shrink-0 lc:items-center lc:justify-center lc:gap-2 lc:rounded-lg lc:hover:bg-hover lc:@min-[480px]:inline-flex lc:@min-[900px]:w-auto lc:@min-[900px]:px-3"
        >
          <Smartphone aria-hidden className="lc:size-5" />
          <span className="lc:hidden lc:@min-[900px]:inline">
            <Trans>Customer's phone</Trans>
          </span>
        </a>
      )}
      <SettingsButton />
      <Account session={session} simulatorUrl={simulatorUrl} />
    </header>
  );
}

/** What the bar's heading says where a phone shows a conversation instead of it. */
export function HeadingBesideThread() {
  const { conversationId } = useUi();
  return conversationId === null ? null : <h1 className="lc:sr-only lc:@min-[700px]:hidden">WABA Live Chat</h1>;
}

function Account({ session, simulatorUrl }: { session: Session; simulatorUrl: string | null }) {
  const { t } = useLingui();
  const { locale, theme } = usePreferences();
  const forget = useSignOut();
  const { queued, failed } = useOutboxTotals();
  const [isAsking, setAsking] = useState(false);
  usePreload(Dialog);
  const unsent = queued + failed;
  const signOut = async () => {
    setAsking(false);
    await forget();
    await session.signOut();
  };
  return (
    <>
      <Menu trigger={<IconButton label={t`Account, language and appearance`}><CircleUserRound /></IconButton>}>
        <MenuLabel>
          <bdi>{session.name}</bdi>
        </MenuLabel>
        <MenuSeparator />
        <MenuLabel>
          <Trans>Language</Trans>
        </MenuLabel>
        <MenuChoice
          value={locale ?? 'browser'}
          onChange={(value) => preferences.set({ theme, locale: LOCALES.find((locale) => locale === value) ?? null })}
          options={[{ value: 'browser', label: t`As the browser` }, ...LOCALES.map((locale) => ({ value: locale, label: <span lang={locale}>{LANGUAGES[locale]}</span> }))]}
        />
        <MenuSeparator />
        <MenuLabel>
          <Trans>Appearance</Trans>
        </MenuLabel>
        <MenuChoice<Theme>
          value={theme}
          onChange={(theme) => preferences.set({ locale, theme })}
          options={[
            { value: 'system', label: t`As the system` },
            { value: 'light', label: t`Light` },
            { value: 'dark', label: t`Dark` },
          ]}
        />
        <MenuSeparator />
        {simulatorUrl !== null && (
          // Where the bar has no room for it.
          <MenuItem icon={<Smartphone />} onSelect={() => window.open(simulatorUrl, '_blank', 'noopener')}>
            <Trans>Customer's phone</Trans>
          </MenuItem>
        )}
        <MenuItem icon={<LogOut className="lc:rtl:-scale-x-100" />} onSelect={() => (unsent > 0 ? setAsking(true) : void signOut())}>
          <Trans>Sign out</Trans>
        </MenuItem>
      </Menu>
      {isAsking && (
        <Dialog
          open
          onClose={() => setAsking(false)}
          title={t`Sign out?`}
          footer={
            <>
              <Button onClick={() => setAsking(false)}>
                <Trans>Stay</Trans>
              </Button>
              <Button tone="danger" onClick={() => void signOut()}>
                <Trans>Sign out and discard</Trans>
              </Button>
            </>
          }
        >
          <p>{t({ message: plural(unsent, { one: '# message is not sent yet. Signing out discards it.', other: '# messages are not sent yet. Signing out discards them.' }) })}</p>
        </Dialog>
      )}
    </>
  );
}
