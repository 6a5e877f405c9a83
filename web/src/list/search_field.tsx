import { useLingui } from '@lingui/react/macro';
import { Search, X } from 'lucide-react';
import { type KeyboardEvent, useRef } from 'react';
import { IconButton } from '../ui/button';

/** The API looks for so many characters at the most. */
const LONGEST = 100;

export function SearchField({ value, onChange, onKeyDown }: { value: string; onChange: (value: string) => void; onKeyDown: (event: KeyboardEvent) => void }) {
  const { t } = useLingui();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div
      role="search"
      className="lc:flex lc:h-10 lc:min-w-0 lc:grow lc:items-center lc:gap-2 lc:rounded-xl lc:border lc:border-transparent lc:bg-canvas lc:ps-3 lc:text-soft lc:focus-within:border-accent lc:focus-within:bg-surface lc:focus-within:outline-1 lc:focus-within:-outline-offset-2 lc:focus-within:outline-accent"
    >
      <Search aria-hidden className="lc:size-4.5 lc:shrink-0" />
      <input
        ref={input}
        type="text"
        role="searchbox"
        inputMode="search"
        enterKeyHint="search"
        autoComplete="off"
        spellCheck={false}
        dir={value === '' ? undefined : 'auto'}
        data-lc-search=""
        aria-label={t`Search conversations and messages`}
        placeholder={t`Search`}
        maxLength={LONGEST}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value !== '') {
            event.stopPropagation();
            onChange('');
          } else onKeyDown(event);
        }}
        className="lc:h-full lc:min-w-0 lc:grow lc:text-text lc:outline-none! lc:pointer-coarse:text-base"
      />
      {value !== '' && (
        <IconButton
          label={t`Clear the search`}
          className="lc:me-0.5 lc:size-8! lc:[&_svg]:size-4!"
          onClick={() => {
            onChange('');
            input.current?.focus();
          }}
        >
          <X />
        </IconButton>
      )}
    </div>
  );
}
