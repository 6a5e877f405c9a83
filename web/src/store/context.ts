import { createContext, use } from 'react';
import type { Picture } from './picture';
import type { Store } from './store';

/** What a page around has read ahead for the store. */
export const PictureContext = createContext<Picture | null>(null);
export const StoreContext = createContext<Store | null>(null);

/** The store of the [`LiveChatProvider`] around. */
export function useStore(): Store {
  const store = use(StoreContext);
  if (!store) throw new Error('This stands outside of a <LiveChatProvider>');
  return store;
}
