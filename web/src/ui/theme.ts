/** Light, dark, or as the system is. */
import { useEffect, useState } from 'react';

export type Theme = 'light' | 'dark' | 'system';

export function resolveTheme(theme: Theme, prefersDark: boolean): 'light' | 'dark' {
  if (theme === 'system') return prefersDark ? 'dark' : 'light';
  return theme;
}

/** What `theme` is at present. */
export function useTheme(theme: Theme): 'light' | 'dark' {
  const [prefersDark, setPrefersDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setPrefersDark(query.matches);
    follow();
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return resolveTheme(theme, prefersDark);
}
