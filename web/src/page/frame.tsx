/** What stands around everything that is not the inbox: signing in, and what keeps the page from starting. */
import { useLingui } from '@lingui/react/macro';
import { Languages, SunMoon } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { closestLocale, directionOf, Language, LOCALES } from '../i18n/i18n';
import { type Theme, useTheme } from '../ui/theme';
import { LANGUAGES, preferences, usePreferences } from './preferences';

/** The texts and colours of what is in it. */
export function Frame({ children }: { children: ReactNode }) {
  const { tag, theme } = usePreferences();
  const shown = useTheme(theme);
  return (
    <Language locale={tag}>
      <div className="wlc lc:h-full" data-theme={shown} dir={directionOf(tag)} lang={tag}>
        {children}
      </div>
    </Language>
  );
}

/** A card in the middle of the page, with the choice of language and look below. */
export function Card({ children }: { children: ReactNode }) {
  const { tag, theme } = usePreferences();
  const { t } = useLingui();
  return (
    <div className="lc:flex lc:h-full lc:flex-col lc:items-center lc:overflow-y-auto lc:bg-wall lc:px-4 lc:py-8">
      <main className="lc:my-auto lc:w-full lc:max-w-104">
        <p className="lc:mb-5 lc:flex lc:items-center lc:justify-center lc:gap-2.5 lc:text-base lc:font-semibold">
          <Mark className="lc:size-8" />
          WABA Live Chat
        </p>
        <div className="lc:rounded-2xl lc:border lc:border-line lc:bg-raised lc:p-6 lc:shadow-raised lc:sm:p-8">{children}</div>
        <footer className="lc:mt-5 lc:flex lc:flex-wrap lc:justify-center lc:gap-3">
          <Choice label={t`Language`} icon={<Languages aria-hidden />} value={closestLocale([tag])} options={LOCALES.map((locale) => [locale, LANGUAGES[locale]])} onChange={(locale) => preferences.set({ theme, locale })} />
          <Choice<Theme>
            label={t`Appearance`}
            icon={<SunMoon aria-hidden />}
            value={theme}
            options={[['system', t`As the system`], ['light', t`Light`], ['dark', t`Dark`]]}
            onChange={(theme) => preferences.set({ ...preferences.get(), theme })}
          />
        </footer>
      </main>
    </div>
  );
}

function Choice<T extends string>({ label, icon, value, options, onChange }: { label: string; icon: ReactNode; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  const id = useId();
  return (
    <div className="lc:flex lc:items-center lc:gap-1.5 lc:text-soft lc:[&_svg]:size-4.5">
      {icon}
      <label htmlFor={id} className="lc:sr-only">
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value as T)} className="lc:h-9 lc:rounded-lg lc:bg-wall lc:px-1.5 lc:text-soft lc:hover:text-text">
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The product's mark, which is the favicon too. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className={className}>
      <rect width="32" height="32" rx="9" fill="#0b7360" />
      <path d="M9 9.5h14a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5h-7.6l-4.7 3.9a.8.8 0 0 1-1.3-.6v-3.3H9A2.5 2.5 0 0 1 6.5 19v-7A2.5 2.5 0 0 1 9 9.5z" fill="#fff" />
      <path d="m11.8 15.7 2.7 2.7 5.7-5.7" fill="none" stroke="#0b7360" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
