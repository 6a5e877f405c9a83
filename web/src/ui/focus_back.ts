import { useCallback, useState } from 'react';

/**
 * Gives the focus back to what had it before something was opened. Radix does so for what its own triggers open; ours open much by a key,
 * or from the menu of a button, which is gone by then.
 */
export function useFocusBack(isOpen: boolean): () => void {
  const [opened, setOpened] = useState<{ by: Element | null } | null>(null);
  if (isOpen !== (opened !== null)) setOpened(isOpen ? { by: focused() } : null);
  const by = opened?.by ?? null;
  return useCallback(() => {
    if (by instanceof HTMLElement && by.isConnected) by.focus({ preventScroll: true });
  }, [by]);
}

function focused(): Element | null {
  const element = document.activeElement;
  const button = element?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return button ? document.getElementById(button) : element;
}
