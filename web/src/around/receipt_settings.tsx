import { useLingui } from '@lingui/react/macro';
import { useId, useMemo, useState } from 'react';
import type { PhoneNumber } from '../api/types';
import { useActions } from '../hooks/actions';
import { usePhoneNumbers } from '../hooks/misc';
import { useUi } from '../ui/context';
import { Section } from './section';

/** Keeps a name's direction of writing to itself, within a text of the other direction. */
const isolate = (name: string) => `\u2068${name}\u2069`;

type Policy = PhoneNumber['read_receipts'];

/** When customers see that they were read: one choice an account, for all of its numbers and agents. */
export function ReceiptSettings() {
  const { t } = useLingui();
  const { locale } = useUi();
  const numbers = usePhoneNumbers() ?? [];
  const join = useMemo(() => new Intl.ListFormat(locale, { type: 'conjunction', style: 'narrow' }), [locale]);
  const accounts = new Map<string, PhoneNumber[]>();
  for (const number of numbers) accounts.set(number.waba_id, [...(accounts.get(number.waba_id) ?? []), number]);
  if (accounts.size === 0) return null;
  return (
    <Section title={t`Blue ticks`}>
      <p className="lc:text-xs lc:text-soft">{t`When customers see that their messages were read. This holds for everybody who works with the account.`}</p>
      {[...accounts.entries()].map(([id, ofAccount]) => {
        const names = join.format(ofAccount.map(({ verified_name, display_phone_number, phone_number_id }) => isolate(verified_name ?? display_phone_number ?? phone_number_id)));
        return <Account key={id} names={names} number={ofAccount[0] as PhoneNumber} />;
      })}
    </Section>
  );
}

function Account({ names, number }: { names: string; number: PhoneNumber }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const actions = useActions();
  const id = useId();
  const [isBusy, setBusy] = useState(false);
  const options: readonly { value: Policy; label: string }[] = [
    { value: 'on_open', label: t`When a conversation is opened` },
    { value: 'on_reply', label: t`When it is answered` },
    { value: 'never', label: t`Never` },
  ];
  const choose = async (policy: Policy) => {
    setBusy(true);
    try {
      await actions.setReadReceipts(number.phone_number_id, policy);
    } catch {
      toast({ text: t`That did not work. Try again.`, tone: 'danger' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-x-4 lc:gap-y-1">
      <label htmlFor={id} className="lc:min-w-32 lc:flex-1">
        {names}
      </label>
      <select
        id={id}
        disabled={isBusy}
        value={number.read_receipts}
        onChange={(event) => {
          const chosen = options.find(({ value }) => value === event.target.value);
          if (chosen) void choose(chosen.value);
        }}
        className="lc:h-9 lc:max-w-full lc:rounded-lg lc:border lc:border-field lc:bg-surface lc:px-2"
      >
        {options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}
