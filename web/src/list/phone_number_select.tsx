/** Which of the agent's phone numbers the inbox shows, and how each of them is. */
import { useLingui } from '@lingui/react/macro';
import { Check, ChevronDown, CircleAlert, Phone } from 'lucide-react';
import type { PhoneNumber } from '../api/types';
import { usePhoneNumbers } from '../hooks/misc';
import { useFormat } from '../i18n/format';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { Menu, MenuSeparator, useMenuParts } from '../ui/menu';
import { useAccountWords, useQualityWords } from '../words/account_words';
import { useNow } from './now';
import { labelOf } from './numbers';

const ALL = '';

export function PhoneNumberSelect({ className }: { className?: string }) {
  const { t } = useLingui();
  const { phoneNumberId, selectPhoneNumber } = useUi();
  const numbers = usePhoneNumbers();
  const problems = useAccountWords();
  if (!numbers) return <span role="status" aria-label={t`Phone numbers are being loaded`} className={cn('lc:block lc:h-9 lc:w-40 lc:animate-pulse lc:rounded-lg lc:bg-line', className)} />;
  const [only] = numbers;
  if (!only) return <span className={cn('lc:flex lc:min-h-9 lc:items-center lc:px-2 lc:text-soft', className)}>{t`No phone number yet`}</span>;
  const shown = numbers.find((number) => number.phone_number_id === phoneNumberId);
  if (numbers.length === 1 && (shown || phoneNumberId === null)) return <Plain number={only} className={className} />;
  const unread = (shown ? [shown] : numbers).reduce((sum, number) => sum + number.unread_count, 0);
  const elsewhere = numbers.reduce((sum, number) => sum + number.unread_count, 0) - unread;
  const name = shown ? labelOf(shown, numbers) : t`All numbers`;
  const hasProblem = numbers.some((number) => problems(number) !== null);
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className={cn('lc:flex lc:min-h-9 lc:min-w-0 lc:max-w-full lc:items-center lc:gap-2 lc:rounded-lg lc:px-2.5 lc:font-medium lc:hover:bg-hover lc:aria-expanded:bg-hover', className)}
        >
          <Phone aria-hidden className="lc:hidden lc:size-4 lc:shrink-0 lc:text-soft lc:@min-[480px]:block" />
          <span className="lc:sr-only">{t`Phone number:`}</span>
          <span className="lc:min-w-0 lc:truncate">
            <bdi>{name}</bdi>
          </span>
          <Unread count={unread} />
          {elsewhere > 0 && <span className="lc:size-2 lc:shrink-0 lc:rounded-full lc:bg-accent" title={t`More unread at other numbers`} />}
          {hasProblem && <CircleAlert aria-hidden className="lc:size-4 lc:shrink-0 lc:text-warning" />}
          <ChevronDown aria-hidden className="lc:size-4 lc:shrink-0 lc:text-soft" />
        </button>
      }
    >
      <Choices numbers={numbers} value={phoneNumberId} onChange={selectPhoneNumber} />
    </Menu>
  );
}

function Choices({ numbers, value, onChange }: { numbers: readonly PhoneNumber[]; value: string | null; onChange: (phoneNumberId: string | null) => void }) {
  const { t } = useLingui();
  const { RadioGroup } = useMenuParts();
  return (
    <RadioGroup value={value ?? ALL} onValueChange={(value) => onChange(value === ALL ? null : value)}>
      <Choice value={ALL} unread={numbers.reduce((sum, number) => sum + number.unread_count, 0)}>
        <span className="lc:font-medium">{t`All numbers`}</span>
      </Choice>
      <MenuSeparator />
      {numbers.map((number) => (
        <Choice key={number.phone_number_id} value={number.phone_number_id} unread={number.unread_count}>
          <About number={number} />
        </Choice>
      ))}
    </RadioGroup>
  );
}

function Choice({ value, unread, children }: { value: string; unread: number; children: React.ReactNode }) {
  const { RadioItem, ItemIndicator } = useMenuParts();
  return (
    <RadioItem
      value={value}
      className="lc:flex lc:min-h-10 lc:w-80 lc:max-w-full lc:cursor-pointer lc:items-center lc:gap-2.5 lc:rounded-lg lc:px-2.5 lc:py-1.5 lc:outline-none lc:select-none lc:data-highlighted:bg-hover"
    >
      <span className="lc:grid lc:size-4 lc:shrink-0 lc:place-items-center">
        <ItemIndicator>
          <Check aria-hidden className="lc:size-4 lc:text-accent" />
        </ItemIndicator>
      </span>
      <span className="lc:min-w-0 lc:grow">{children}</span>
      <Unread count={unread} />
    </RadioItem>
  );
}

function Unread({ count }: { count: number }) {
  const { t } = useLingui();
  const format = useFormat();
  if (count === 0) return null;
  return (
    <span className="lc:grid lc:h-5 lc:min-w-5 lc:shrink-0 lc:place-items-center lc:rounded-full lc:bg-accent lc:px-1.5 lc:text-xs lc:font-semibold lc:text-on-accent lc:tabular-nums">
      <span aria-hidden>{count > 999 ? t`999+` : format.number(count)}</span>
      <span className="lc:sr-only">{t`${count} unread`}</span>
    </span>
  );
}

/** The only number there is: nothing to choose. */
function Plain({ number, className }: { number: PhoneNumber; className: string | undefined }) {
  return (
    <div className={cn('lc:flex lc:min-h-9 lc:min-w-0 lc:items-center lc:gap-2 lc:px-2.5', className)}>
      <Phone aria-hidden className="lc:size-4 lc:shrink-0 lc:text-soft" />
      <div className="lc:min-w-0">
        <About number={number} isShort />
      </div>
    </div>
  );
}

function About({ number, isShort = false }: { number: PhoneNumber; isShort?: boolean }) {
  const { t } = useLingui();
  const format = useFormat();
  const now = useNow();
  const problem = useAccountWords()(number)?.note ?? null;
  const quality = useQualityWords()(number.quality_rating ?? null);
  const last = number.last_webhook_at ? format.short(number.last_webhook_at, now) : null;
  return (
    <>
      <span className="lc:block lc:truncate lc:font-medium">
        <bdi>{number.verified_name || number.display_phone_number || number.phone_number_id}</bdi>
      </span>
      {number.verified_name && number.display_phone_number && (
        <span className="lc:block lc:truncate lc:text-xs lc:text-soft">
          <bdi dir="ltr">{number.display_phone_number}</bdi>
        </span>
      )}
      {problem !== null && <Note>{problem}</Note>}
      {quality !== null && <Note>{quality}</Note>}
      {number.is_registered === false && problem === null && <Note>{t`Not registered with WhatsApp yet`}</Note>}
      {!isShort && <span className="lc:block lc:text-xs lc:text-soft">{last === null ? t`Nothing has arrived yet` : t`Last message or status: ${last}`}</span>}
    </>
  );
}

function Note({ children }: { children: React.ReactNode }) {
  return (
    <span className="lc:flex lc:items-start lc:gap-1 lc:text-xs lc:text-warning">
      <CircleAlert aria-hidden className="lc:mt-px lc:size-3.5 lc:shrink-0" />
      {children}
    </span>
  );
}
