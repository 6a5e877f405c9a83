/** The page's address says what is open, so that it can be kept, sent to a colleague, opened by a notification and gone back to. */
import { useCallback, useSyncExternalStore } from 'react';

export interface Address {
  readonly conversationId: number | null;
  /** null: of all numbers. */
  readonly phoneNumberId: string | null;
}

export function parseAddress(search: string): Address {
  const parameters = new URLSearchParams(search);
  const conversation = parameters.get('conversation') ?? '';
  const number = parameters.get('number') ?? '';
  return {
    conversationId: /^[1-9]\d{0,14}$/.test(conversation) ? Number(conversation) : null,
    phoneNumberId: /^\d{1,32}$/.test(number) ? number : null,
  };
}

/** `search` with this address in it; other parameters stay. */
export function searchOf({ conversationId, phoneNumberId }: Address, search: string): string {
  const parameters = new URLSearchParams(search);
  const put = (name: string, value: string | null) => (value === null ? parameters.delete(name) : parameters.set(name, value));
  put('conversation', conversationId === null ? null : String(conversationId));
  put('number', phoneNumberId);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** In the state of a history entry that a conversation was opened from the bare list: closing it goes back to that. */
const FROM_LIST = 'openedFromList';

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('popstate', listener);
  };
}

export function currentAddress(): Address {
  return parseAddress(location.search);
}

/** Shows another address: opening a conversation is a step that can be gone back, choosing a number is not. */
export function go(change: Partial<Address>): void {
  const before = currentAddress();
  const next = { ...before, ...change };
  const closes = before.conversationId !== null && next.conversationId === null;
  if (closes && change.phoneNumberId === undefined && (history.state as Record<string, unknown> | null)?.[FROM_LIST] === true) {
    history.back();
    return;
  }
  const search = searchOf(next, location.search);
  if (search === location.search) return;
  const url = location.pathname + search + location.hash;
  if (next.conversationId !== before.conversationId) history.pushState({ [FROM_LIST]: before.conversationId === null }, '', url);
  else history.replaceState(history.state, '', url);
  for (const listener of listeners) listener();
}

export function useAddress(): Address & { openConversation(id: number | null): void; selectPhoneNumber(id: string | null): void } {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const openConversation = useCallback((conversationId: number | null) => go({ conversationId }), []);
  const selectPhoneNumber = useCallback((phoneNumberId: string | null) => go({ phoneNumberId }), []);
  return { ...parseAddress(search), openConversation, selectPhoneNumber };
}
