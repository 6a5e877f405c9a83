/** Languages: their texts, and the direction that they are written in. */
import { type I18n, setupI18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { type ReactNode, useEffect, useRef, useState } from 'react';

export const LOCALES = ['en', 'pt', 'es', 'ar'] as const;
export type Locale = (typeof LOCALES)[number];
/** A host's own texts, by the English ones. */
export type OwnTexts = Readonly<Record<string, string>>;

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/i;

/** Each language is a file of its own, loaded when it is shown. */
const CATALOGS: Record<Locale, () => Promise<{ messages: Record<string, unknown> }>> = {
  en: () => import('./locales/en.po'),
  pt: () => import('./locales/pt.po'),
  es: () => import('./locales/es.po'),
  ar: () => import('./locales/ar.po'),
};

/** The texts that have come. */
const here = new Map<Locale, Record<string, unknown>>();

/** How long until a file that did not come is asked for again. */
const RETRY_MS = 3_000;

/** The first of the wanted languages, such as `pt-BR`, that there are texts for. */
export function closestLocale(wanted: string | readonly string[]): Locale {
  for (const tag of typeof wanted === 'string' ? [wanted] : wanted) {
    const language = tag.toLowerCase().split('-')[0];
    const found = LOCALES.find((locale) => locale === language);
    if (found) return found;
  }
  return 'en';
}

/** The first of the browser's languages that there are texts for, as the browser has it: `pt-BR`, not `pt`. */
export function browserLocale(): string {
  return navigator.languages.find((tag) => LOCALES.some((locale) => locale === tag.toLowerCase().split('-')[0])) ?? 'en';
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.test(locale) ? 'rtl' : 'ltr';
}

/**
 * The tag that numbers and times are written by. Arabic without a country has the digits 0 to 9, which phone numbers and orders have in
 * customers' messages too; with one, such as `ar-EG`, those of that country.
 */
export function formatTag(locale: string): string {
  return locale.toLowerCase() === 'ar' ? 'ar-u-nu-latn' : locale;
}

/** Shows `children` in `locale`, once its texts are here; `messages` replaces some of them. */
export function Language({ locale, messages, children }: { locale: string; messages?: OwnTexts | undefined; children: ReactNode }) {
  // A host may write the object into its render: only other texts count as others.
  const own = messages && JSON.stringify(messages);
  const [i18n, setI18n] = useState<I18n | null>(() => {
    const texts = own === undefined ? here.get(closestLocale(locale)) : undefined;
    return texts ? instanceOf(locale, texts) : null;
  });
  const isHere = useRef(i18n !== null);
  useEffect(() => {
    if (isHere.current) {
      isHere.current = false;
      return;
    }
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async () => {
      try {
        const texts = await textsOf(closestLocale(locale), own);
        if (!isCurrent) return;
        setI18n(instanceOf(locale, texts));
      } catch {
        if (isCurrent) timer = setTimeout(() => void load(), RETRY_MS);
      }
    };
    void load();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [locale, own]);
  return i18n && <I18nProvider i18n={i18n}>{children}</I18nProvider>;
}

/** An instance of its own: another component on this page may speak another language. */
function instanceOf(locale: string, texts: Record<string, unknown>): I18n {
  const i18n = setupI18n();
  i18n.loadAndActivate({ locale: closestLocale(locale), locales: formatTag(locale), messages: texts as never });
  return i18n;
}

/** Fetches a language's texts; from then on they are shown at once. */
export async function loadTexts(locale: Locale): Promise<Record<string, unknown>> {
  const { messages } = await CATALOGS[locale]();
  here.set(locale, messages);
  return messages;
}

async function textsOf(locale: Locale, own: string | undefined): Promise<Record<string, unknown>> {
  const messages = await loadTexts(locale);
  if (own === undefined) return messages;
  const { compileTexts } = await import('./own_texts');
  return { ...messages, ...compileTexts(JSON.parse(own) as OwnTexts) };
}
