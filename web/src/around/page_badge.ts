import { useEffect } from 'react';

/** Shows how much is unread in the title, `(3) Live chat`, and on the app's icon. For whoever owns the page: the component itself writes neither. */
export function usePageBadge(unread: number, title: string): void {
  useEffect(() => {
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${title}` : title;
    // It needs no permission, but exists only where a page can be installed.
    const shown = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    shown?.catch(() => {});
  }, [unread, title]);
  useEffect(() => () => void navigator.clearAppBadge?.().catch(() => {}), []);
}
