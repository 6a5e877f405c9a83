/** Strips above the inbox: what keeps it from working, what becomes of one's messages meanwhile, and what to do. */
import { plural } from '@lingui/core/macro';
import { useLingui } from '@lingui/react/macro';
import { CircleAlert, KeyRound, type LucideIcon, TriangleAlert, WifiOff, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useConnection, useOutboxTotals, usePhoneNumbers } from '../hooks/misc';
import { useFormat } from '../i18n/format';
import { useStore } from '../store/context';
import { Button, IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { useAccountWords } from '../words/account_words';
import { useOnline } from './use_online';

/** A cut that is shorter is nobody's concern: sockets are replaced, networks change. */
const CUT_MS = 2_000;
/** From then on one wants to know why nothing comes. */
const SLOW_MS = 8_000;
/** More accounts in trouble are only counted. */
const MOST_ACCOUNTS = 2;

export function Banners() {
  return (
    <div role="status" className="lc:shrink-0">
      <ConnectionBanner />
      <FailedBanner />
      <AccountBanners />
    </div>
  );
}

function ConnectionBanner() {
  const { t } = useLingui();
  const ui = useUi();
  const store = useStore();
  const format = useFormat();
  const { state, upToDateAt } = useConnection();
  const { queued } = useOutboxTotals();
  const online = useOnline();
  // A browser that says that it is offline is right, however alive the socket looks; that it says online means little.
  const isCut = useLasting(state === 'offline' && online, CUT_MS) || !online;
  const isSlow = useLasting(state === 'connecting', SLOW_MS);
  const wasCut = useRef(false);
  const { toast } = ui;
  useEffect(() => {
    if (isCut) wasCut.current = true;
    else if (state === 'live' && wasCut.current) {
      wasCut.current = false;
      // A socket may look alive that is not: it is true once the changes were asked for.
      void store.live.catchUp().then(() => toast({ text: t`Back online. Everything is up to date.` }), () => {});
    }
  }, [isCut, state, toast, store, t]);

  if (state === 'session_expired') {
    const signIn = () => {
      ui.host.current.onSessionExpired?.();
      // A new token may be there already.
      void store.live.catchUp().catch(() => {});
    };
    return (
      <Banner icon={KeyRound} tone="danger" action={<Button tone="outline" onClick={signIn}>{t`Sign in again`}</Button>}>
        {t`Your session has ended. What you have written is kept in this browser.`}
      </Banner>
    );
  }
  if (!isCut) return isSlow && <Banner icon={WifiOff}>{t`Connecting takes longer than usual…`}</Banner>;
  const waiting =
    queued > 0
      ? t({ message: plural(queued, { one: '# message waits for the network.', other: '# messages wait for the network.' }) })
      : t`What you write is sent as soon as the connection is back.`;
  const at = upToDateAt === null ? null : format.time(upToDateAt);
  return (
    <Banner icon={WifiOff}>
      <strong>{online ? t`The server cannot be reached.` : t`You are offline.`}</strong> <span>{waiting}</span>{' '}
      {at !== null && <span className="lc:text-soft">{t`Up to date until ${at}.`}</span>}
    </Banner>
  );
}

/** Messages that were given up: an agent has to decide. */
function FailedBanner() {
  const { t } = useLingui();
  const ui = useUi();
  const store = useStore();
  const { failed } = useOutboxTotals();
  const [dismissed, setDismissed] = useState(0);
  // One that fails later is told again.
  if (failed < dismissed) setDismissed(failed);
  if (failed <= dismissed) return null;
  const show = () => {
    const first = store.outbox.failed;
    if (first) ui.openConversation(first.conversationId);
  };
  return (
    <Banner icon={CircleAlert} tone="danger" onDismiss={() => setDismissed(failed)} action={<Button tone="outline" onClick={show}>{t`Show`}</Button>}>
      {t({ message: plural(failed, { one: '# message was not sent.', other: '# messages were not sent.' }) })}
    </Banner>
  );
}

function AccountBanners() {
  const { t } = useLingui();
  const { phoneNumberId } = useUi();
  const words = useAccountWords();
  const numbers = usePhoneNumbers() ?? [];
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const troubled = numbers.flatMap((number) => {
    if (phoneNumberId !== null && number.phone_number_id !== phoneNumberId) return [];
    const text = words(number)?.whole ?? null;
    const key = `${number.phone_number_id} ${number.account_status}`;
    return text === null || dismissed.has(key) ? [] : [{ key, text }];
  });
  const more = troubled.slice(MOST_ACCOUNTS);
  const dismiss = (...keys: string[]) => setDismissed(new Set([...dismissed, ...keys]));
  return (
    <>
      {troubled.slice(0, MOST_ACCOUNTS).map(({ key, text }) => (
        <Banner key={key} icon={TriangleAlert} onDismiss={() => dismiss(key)}>
          {text}
        </Banner>
      ))}
      {more.length > 0 && (
        <Banner icon={TriangleAlert} onDismiss={() => dismiss(...more.map(({ key }) => key))}>
          {t({ message: plural(more.length, { one: '# more number cannot send.', other: '# more numbers cannot send.' }) })}
        </Banner>
      )}
    </>
  );
}

function Banner({
  icon: Icon,
  tone = 'warning',
  action,
  onDismiss,
  children,
}: {
  icon: LucideIcon;
  tone?: 'warning' | 'danger';
  action?: ReactNode;
  onDismiss?: () => void;
  children: ReactNode;
}) {
  const { t } = useLingui();
  const isDanger = tone === 'danger';
  return (
    <div className={cn('lc:flex lc:items-start lc:gap-3 lc:border-b lc:border-line lc:ps-4 lc:pe-2 lc:py-1', isDanger ? 'lc:bg-danger-soft' : 'lc:bg-warning-soft')}>
      <Icon aria-hidden className={cn('lc:mt-2 lc:size-5 lc:shrink-0', isDanger ? 'lc:text-danger' : 'lc:text-warning')} />
      <div className="lc:flex lc:min-h-9 lc:min-w-0 lc:grow lc:flex-wrap lc:items-center lc:gap-x-3 lc:gap-y-1">
        <p className="lc:min-w-40 lc:flex-1 lc:py-1 lc:break-words">{children}</p>
        {action}
      </div>
      {onDismiss && (
        <IconButton label={t`Dismiss`} onClick={onDismiss}>
          <X />
        </IconButton>
      )}
    </div>
  );
}

/** Whether something holds for so long already. */
function useLasting(holds: boolean, milliseconds: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!holds) return;
    const timer = setTimeout(() => setLasts(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setLasts(false);
    };
  }, [holds, milliseconds]);
  return holds && lasts;
}
