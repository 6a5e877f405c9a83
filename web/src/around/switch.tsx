import { type ReactNode, useId } from 'react';
import { cn } from '../ui/cn';

/** A setting that is on or off, its name beside it. */
export function Switch({
  label,
  hint,
  checked,
  disabled = false,
  onChange,
}: {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="lc:flex lc:min-h-10 lc:items-center lc:justify-between lc:gap-4">
      <div className="lc:min-w-0">
        <label htmlFor={id}>{label}</label>
        {hint && (
          <p id={`${id}-hint`} className="lc:text-xs lc:text-soft">
            {hint}
          </p>
        )}
      </div>
      <button
        type="button"
        role="switch"
        id={id}
        aria-checked={checked}
        {...(hint && { 'aria-describedby': `${id}-hint` })}
        disabled={disabled}
        onClick={() => onChange(!checked)}
        className="lc:inline-flex lc:h-10 lc:w-12 lc:shrink-0 lc:items-center lc:justify-center lc:rounded-lg lc:disabled:opacity-50"
      >
        <span
          className={cn(
            'lc:flex lc:h-6 lc:w-10 lc:items-center lc:rounded-full lc:border lc:p-0.5 lc:transition-colors',
            checked ? 'lc:border-accent lc:bg-accent' : 'lc:border-field lc:bg-surface',
          )}
        >
          <span
            className={cn(
              'lc:size-4.5 lc:rounded-full lc:transition-transform',
              checked ? 'lc:translate-x-4 lc:bg-on-accent lc:rtl:-translate-x-4' : 'lc:bg-field',
            )}
          />
        </span>
      </button>
    </div>
  );
}
