import type { ComponentProps } from 'react';
import { cn } from './cn';

type Tone = 'plain' | 'accent' | 'outline' | 'danger';

const TONES: Record<Tone, string> = {
  plain: 'lc:text-text lc:hover:bg-hover lc:aria-pressed:bg-accent-soft lc:aria-pressed:text-accent',
  accent: 'lc:bg-accent lc:text-on-accent lc:hover:opacity-90',
  outline: 'lc:border lc:border-field lc:text-text lc:hover:bg-hover',
  danger: 'lc:bg-danger lc:text-on-danger lc:hover:opacity-90',
};

const BASE =
  'lc:inline-flex lc:shrink-0 lc:items-center lc:justify-center lc:rounded-lg lc:font-medium lc:transition-colors lc:disabled:opacity-50 lc:disabled:pointer-events-none';

export function Button({ tone = 'plain', className, ...props }: ComponentProps<'button'> & { tone?: Tone }) {
  return <button type="button" {...props} className={cn(BASE, 'lc:min-h-9 lc:gap-2 lc:px-3.5', TONES[tone], className)} />;
}

/** A button with a picture alone; `label` says what it does, as a hint too. */
export function IconButton({
  label,
  hint = label,
  tone = 'plain',
  className,
  children,
  ...props
}: Omit<ComponentProps<'button'>, 'aria-label'> & { label: string; hint?: string | null; tone?: Tone }) {
  return (
    <button type="button" aria-label={label} data-hint={hint ?? undefined} {...props} className={cn(BASE, 'lc:size-9 lc:[&_svg]:size-5', TONES[tone], className)}>
      {children}
    </button>
  );
}
