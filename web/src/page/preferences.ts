/** The language and the look that were chosen in this browser. */
import { useEffect, useSyncExternalStore } from 'react';
import { closestLocale, directionOf, LOCALES, type Locale } from '../i18n/i18n';
import { resolveTheme, type Theme } from '../ui/theme';
import { Kept, textOf } from './kept';

export interface Preferences {
  /** null: the browser's. */
  readonly locale: Locale | null;
  readonly theme: Theme;
}

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export const preferences = new Kept<Preferences>('preferences', (value) => ({
  locale: LOCALES.find((locale) => locale === textOf(value, 'locale')) ?? null,
  theme: THEMES.find((theme) => theme === textOf(value, 'theme')) ?? 'system',
}));

/** What each language calls itself. */
export const LANGUAGES: Record<Locale, string> = { en: 'English', pt: 'Português', es: 'Español', ar: 'العربية' };

export function usePreferences(): Preferences & { readonly tag: string } {
  const chosen = useSyncExternalStore(preferences.subscribe, preferences.get);
  return { ...chosen, tag: localeTag(chosen.locale) };
}

/** The chosen language as a tag: with the browser's region where that is of the same language, so that times look as they do elsewhere. */
export function localeTag(locale: Locale | null, browser: readonly string[] = navigator.languages): string {
  const wanted = locale ?? closestLocale(browser);
  return browser.find((tag) => tag.toLowerCase().split('-')[0] === wanted) ?? wanted;
}

/** The colours of the browser's own frame around the page: those of the header. */
const FRAME = { light: '#ffffff', dark: '#111b21' } as const;

/** Tells the document about the language and the look: only the page may do that, a component in somebody's page may not. */
export function useDocumentPreferences(tag: string, theme: Theme): void {
  useEffect(() => {
    document.documentElement.lang = tag;
    document.documentElement.dir = directionOf(tag);
  }, [tag]);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const paint = () => {
      const shown = resolveTheme(theme, query.matches);
      document.documentElement.style.colorScheme = shown;
      document.querySelector('meta[name=theme-color]')?.setAttribute('content', FRAME[shown]);
    };
    paint();
    query.addEventListener('change', paint);
    return () => query.removeEventListener('change', paint);
  }, [theme]);
}
