import { createContext, use } from 'react';
import type { Store } from './store';

export const StoreContext = createContext<Store | null>(null);

/** The store of the [`LiveChatProvider`] around. */
export function useStore(): Store {
  const store = use(StoreContext);
  if (!store) throw new Error('This stands outside of a <LiveChatProvider>');
  return store;
}
