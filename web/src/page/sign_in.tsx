/** Who are you? By password or by a code that is sent, or, on a local stack, by a click. */
import { Trans, useLingui } from '@lingui/react/macro';
import { KeyRound, Mail, MessagesSquare } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId, useState } from 'react';
import { Button } from '../ui/button';
import { Spinner } from '../ui/spinner';
import type { Agent } from './config';
import { type LocalSessions, SignInError, type SignInReason } from './session';
import type { SupabaseSessions } from './supabase';

export type SignInWays = { readonly local: LocalSessions; readonly agents: readonly Agent[] } | { readonly supabase: SupabaseSessions };

export function SignIn({ ways, isExpired = false }: { ways: SignInWays; isExpired?: boolean }) {
  return (
    <section aria-labelledby="sign-in-title" className="lc:flex lc:flex-col lc:gap-5">
      <header className="lc:flex lc:flex-col lc:gap-1.5">
        <h1 id="sign-in-title" className="lc:text-2xl lc:font-semibold">
          {isExpired ? <Trans>Sign in again</Trans> : <Trans>Sign in</Trans>}
        </h1>
        <p className="lc:text-soft">
          {isExpired ? <Trans>Your session has ended. What you have written is kept, and goes on once you are back.</Trans> : <Trans>Answer your customers on WhatsApp.</Trans>}
        </p>
      </header>
      {'local' in ways ? <LocalForm {...ways} /> : <AddressForm sessions={ways.supabase} />}
    </section>
  );
}

function LocalForm({ local, agents }: { local: LocalSessions; agents: readonly Agent[] }) {
  const { t } = useLingui();
  const [token, setToken] = useState('');
  const work = useWork();
  return (
    <>
      {agents.map(({ name, token }, index) => (
        <Button key={name} tone={index === 0 ? 'accent' : 'outline'} className="lc:min-h-11" onClick={() => void work.run(async () => local.signIn(token, name))}>
          <MessagesSquare aria-hidden className="lc:size-5" />
          <Trans>Sign in as {name}</Trans>
        </Button>
      ))}
      <Divider>
        <Trans>or as anybody else</Trans>
      </Divider>
      <Form onSubmit={() => void work.run(async () => local.signIn(token))}>
        <Field label={t`Access token`} hint={t`A signed token of any user of this local stack.`} value={token} onValue={setToken} required autoComplete="off" spellCheck={false} isWrong={work.reason !== null} />
        <Problem reason={work.reason} details={work.details} />
        <Button type="submit" tone="outline" className="lc:min-h-11">
          <KeyRound aria-hidden className="lc:size-5" />
          <Trans>Sign in with this token</Trans>
        </Button>
      </Form>
    </>
  );
}

function AddressForm({ sessions }: { sessions: SupabaseSessions }) {
  const { t } = useLingui();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'password' | 'address' | 'code'>('password');
  const work = useWork();
  const show = (next: typeof step) => {
    work.forget();
    setStep(next);
  };
  const submit = () =>
    work.run(async () => {
      if (step === 'password') await sessions.signInWithPassword(email, password);
      else if (step === 'code') await sessions.signInWithCode(email, code.replaceAll(/\s/g, ''));
      else {
        await sessions.sendCode(email);
        setStep('code');
      }
    });
  const isWrong = work.reason === 'credentials' || work.reason === 'code' || work.reason === 'address';
  return (
    <Form onSubmit={() => void submit()}>
      {step === 'code' ? (
        <>
          <p>
            <Trans>
              A code was sent to <bdi className="lc:font-semibold">{email}</bdi>. Type it here, or open the link beside it in this browser.
            </Trans>
          </p>
          <Field label={t`Code`} value={code} onValue={setCode} required autoFocus autoComplete="one-time-code" inputMode="numeric" dir="ltr" isWrong={isWrong} />
        </>
      ) : (
        <>
          <Field label={t`Email address`} type="email" name="email" value={email} onValue={setEmail} required autoComplete="username" dir="ltr" isWrong={isWrong} />
          {step === 'password' && (
            <Field label={t`Password`} type="password" name="password" value={password} onValue={setPassword} required autoComplete="current-password" dir="ltr" isWrong={isWrong} />
          )}
        </>
      )}
      <Problem reason={work.reason} details={work.details} />
      <Button type="submit" tone="accent" className="lc:min-h-11" disabled={work.isBusy}>
        {work.isBusy && <Spinner />}
        {step === 'address' ? <Trans>Send the code</Trans> : <Trans>Sign in</Trans>}
      </Button>
      {step === 'password' ? (
        <Button tone="outline" className="lc:min-h-11" onClick={() => show('address')}>
          <Mail aria-hidden className="lc:size-5" />
          <Trans>Send me a code instead</Trans>
        </Button>
      ) : (
        <Button className="lc:min-h-11" onClick={() => show(step === 'code' ? 'address' : 'password')}>
          {step === 'code' ? <Trans>Use another address</Trans> : <Trans>Use a password instead</Trans>}
        </Button>
      )}
    </Form>
  );
}

/** Something under way that may fail in words. */
function useWork() {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<SignInError | null>(null);
  return {
    isBusy,
    reason: failure?.reason ?? null,
    details: failure?.message ?? '',
    forget: () => setFailure(null),
    run: async (work: () => Promise<void>) => {
      setBusy(true);
      setFailure(null);
      try {
        await work();
      } catch (error) {
        setFailure(error instanceof SignInError ? error : new SignInError('other', String(error)));
      } finally {
        setBusy(false);
      }
    },
  };
}

function Problem({ reason, details }: { reason: SignInReason | null; details: string }) {
  const { t } = useLingui();
  const texts: Record<SignInReason, string> = {
    credentials: t`The email address or the password is wrong.`,
    code: t`This code is wrong or too old. Ask for another one.`,
    address: t`No code can be sent to this address. Is it the one your account has?`,
    unconfirmed: t`This address is not confirmed yet. Open the link in the message that was sent to it.`,
    network: t`The sign-in service cannot be reached. Check your connection, and try again.`,
    too_many: t`Too many attempts. Wait a minute, and try again.`,
    not_a_token: t`This is not an access token.`,
    expired_token: t`This token has expired.`,
    other: t`You could not be signed in: ${details}`,
  };
  if (reason === null) return null;
  return (
    <p role="alert" className="lc:rounded-lg lc:bg-danger-soft lc:px-3 lc:py-2 lc:text-danger">
      {texts[reason]}
    </p>
  );
}

function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className="lc:flex lc:flex-col lc:gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

function Field({ label, hint, onValue, isWrong, ...props }: Omit<ComponentProps<'input'>, 'onChange'> & { label: string; hint?: string; onValue: (value: string) => void; isWrong: boolean }) {
  const id = useId();
  return (
    <div className="lc:flex lc:flex-col lc:gap-1">
      <label htmlFor={id} className="lc:font-medium">
        {label}
      </label>
      <input
        {...props}
        id={id}
        onChange={(event) => onValue(event.target.value)}
        aria-invalid={isWrong || undefined}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className="lc:h-11 lc:w-full lc:rounded-lg lc:border lc:border-field lc:bg-surface lc:px-3 lc:text-base lc:text-start lc:aria-invalid:border-danger"
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="lc:text-xs lc:text-soft">
          {hint}
        </p>
      )}
    </div>
  );
}

function Divider({ children }: { children: ReactNode }) {
  return (
    <p className="lc:flex lc:items-center lc:gap-3 lc:text-xs lc:text-soft lc:before:h-px lc:before:grow lc:before:bg-line lc:before:content-[''] lc:after:h-px lc:after:grow lc:after:bg-line lc:after:content-['']">
      {children}
    </p>
  );
}
