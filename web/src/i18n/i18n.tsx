/** Languages: their texts, and the direction that they are written in. */
import { type I18n, type Messages, setupI18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { type ReactNode, useEffect, useState } from 'react';

export const LOCALES = ['en', 'pt', 'es', 'ar'] as const;
export type Locale = (typeof LOCALES)[number];
export type { Messages };

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/;

/** Each language is a file of its own, loaded when it is shown. */
const CATALOGS: Record<Locale, () => Promise<{ messages: Messages }>> = {
  en: () => import('./locales/en.po'),
  pt: () => import('./locales/pt.po'),
  es: () => import('./locales/es.po'),
  ar: () => import('./locales/ar.po'),
};

/** The language of `wanted`, such as `pt-BR`, that there are texts for. */
export function closestLocale(wanted: string): Locale {
  const language = wanted.toLowerCase().split('-')[0];
  return LOCALES.find((locale) => locale === language) ?? 'en';
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.test(locale) ? 'rtl' : 'ltr';
}

/** Shows `children` in `locale`, once its texts are here; `messages` replaces some of them, by id. */
export function Language({ locale, messages, children }: { locale: string; messages?: Messages | undefined; children: ReactNode }) {
  const [i18n, setI18n] = useState<I18n | null>(null);
  useEffect(() => {
    let current = true;
    void CATALOGS[closestLocale(locale)]().then((catalog) => {
      if (!current) return;
      // An instance of its own: another component on this page may speak another language.
      const next = setupI18n();
      next.loadAndActivate({ locale: closestLocale(locale), locales: locale, messages: { ...catalog.messages, ...messages } });
      setI18n(next);
    });
    return () => {
      current = false;
    };
  }, [locale, messages]);
  return i18n && <I18nProvider i18n={i18n}>{children}</I18nProvider>;
}
