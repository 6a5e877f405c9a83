/** The fields of the composer's dialogs: a name, a counter where there is a limit, and what is wrong below. */
import { useLingui } from '@lingui/react/macro';
import { type ReactNode, type Ref, useId } from 'react';
import { cn } from '../../ui/cn';
import { lengthOf } from '../limits';

const INPUT = 'lc:w-full lc:rounded-lg lc:border lc:bg-surface lc:px-3 lc:py-1.5 lc:min-h-9 lc:focus-visible:outline-2 lc:focus-visible:outline-accent';

export function TextField({
  label,
  value,
  onChange,
  limit,
  error,
  hint,
  rows,
  optional = false,
  ref,
  action,
  hideLabel = false,
  ...rest
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  limit?: number;
  error?: string | undefined;
  hint?: ReactNode;
  /** Makes it a text of several lines. */
  rows?: number;
  optional?: boolean;
  ref?: Ref<HTMLInputElement & HTMLTextAreaElement>;
  /** A button beside the label. */
  action?: ReactNode;
  hideLabel?: boolean;
  placeholder?: string | undefined;
  inputMode?: 'text' | 'url' | 'tel' | 'email' | 'decimal';
  autoFocus?: boolean;
  dir?: 'auto' | 'ltr';
}) {
  const { t } = useLingui();
  const id = useId();
  const length = limit === undefined ? 0 : lengthOf(value);
  const isTooLong = limit !== undefined && length > limit;
  const shown = error ?? (isTooLong ? t`At most ${limit} characters` : undefined);
  const Field = rows === undefined ? 'input' : 'textarea';
  return (
    <div className="lc:flex lc:min-w-0 lc:flex-col lc:gap-1">
      <div className={cn('lc:flex lc:min-h-5 lc:items-center lc:gap-2', hideLabel && 'lc:sr-only')}>
        <label htmlFor={id} className="lc:min-w-0 lc:grow lc:text-xs lc:font-medium">
          {label}
          {optional && <span className="lc:font-normal lc:text-soft"> {t`(optional)`}</span>}
        </label>
        {action}
      </div>
      <Field
        id={id}
        dir="auto"
        {...rest}
        {...(rows !== undefined && { rows })}
        ref={ref}
        value={value}
        aria-invalid={shown !== undefined}
        aria-describedby={`${id}-below`}
        onChange={(event) => onChange(event.target.value)}
        className={cn(INPUT, rows !== undefined && 'lc:resize-y lc:leading-5.5', shown === undefined ? 'lc:border-field' : 'lc:border-danger')}
      />
      <div id={`${id}-below`} className="lc:flex lc:gap-3 lc:text-xs lc:text-soft">
        <span className={cn('lc:min-w-0 lc:grow', shown !== undefined && 'lc:text-danger')}>{shown ?? hint}</span>
        {limit !== undefined && (length > limit * 0.7 || isTooLong) && (
          <span className={cn('lc:shrink-0 lc:tabular-nums', isTooLong && 'lc:text-danger')} dir="ltr">
            {length}/{limit}
          </span>
        )}
      </div>
    </div>
  );
}

/** One of a few. */
export function SelectField<T extends string>({
  label,
  value,
  onChange,
  options,
  hideLabel = false,
}: {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { readonly value: T; readonly label: string }[];
  hideLabel?: boolean;
}) {
  const id = useId();
  return (
    <div className="lc:flex lc:flex-col lc:gap-1">
      <label htmlFor={id} className={cn('lc:min-h-5 lc:text-xs lc:leading-5 lc:font-medium', hideLabel && 'lc:sr-only')}>
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value as T)} className={cn(INPUT, 'lc:border-field')}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Fields and what the customer sees of them, side by side where there is room. */
export function FormAndPreview({ children, preview }: { children: ReactNode; preview: ReactNode }) {
  const { t } = useLingui();
  return (
    <div className="lc:@container">
      <div className="lc:grid lc:gap-5 lc:@min-[560px]:grid-cols-[minmax(0,1fr)_minmax(0,280px)]">
        <div className="lc:flex lc:min-w-0 lc:flex-col lc:gap-3">{children}</div>
        <section aria-label={t`Preview`} className="lc:min-w-0">
          <p className="lc:pb-1.5 lc:text-xs lc:font-medium">{t`What the customer sees`}</p>
          <div className="lc:sticky lc:top-0 lc:rounded-xl lc:bg-wall lc:p-3">{preview}</div>
        </section>
      </div>
    </div>
  );
}
