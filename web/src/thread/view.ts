/** What all rows of an open conversation share. It changes rarely: whatever changes it draws all of them anew. */
import { createContext, use } from 'react';
import type { Message } from '../api/types';
import type { useActions } from '../hooks/actions';
import type { Format } from '../i18n/format';
import type { Player } from './player';

export interface ThreadView {
  readonly conversationId: number;
  /** What the customer is called. */
  readonly customer: string;
  readonly format: Format;
  readonly locale: string;
  readonly player: Player;
  readonly actions: ReturnType<typeof useActions>;
  /** Shows another message of this conversation, and marks it for a moment. */
  readonly jumpTo: (message: number | string) => void;
  readonly openMenu: (message: Message, anchor: Element) => void;
  readonly openInfo: (message: Message) => void;
  readonly openViewer: (message: Message) => void;
  readonly reply: (message: Message) => void;
  readonly download: (message: Message) => void;
}

export const ThreadViewContext = createContext<ThreadView | null>(null);

export function useView(): ThreadView {
  const view = use(ThreadViewContext);
  if (!view) throw new Error('This stands outside of an open conversation');
  return view;
}
