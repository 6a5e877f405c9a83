/** Draws a part in English, within a page whose shared things are `ui`. */
import { setupI18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { StoreContext } from '../../src/store/context';
import type { Store } from '../../src/store/store';
import { type Ui, UiContext } from '../../src/ui/context';

export function uiOf(more: Partial<Ui> = {}): Ui {
  const nothing = { current: null };
  return {
    phoneNumberId: null,
    selectPhoneNumber() {},
    conversationId: null,
    openConversation() {},
    locale: 'en-GB',
    dir: 'ltr',
    timeZone: 'UTC',
    features: {},
    components: {},
    portal: null,
    announce() {},
    toast() {},
    composer: { ...nothing },
    thread: { ...nothing },
    arrival: { ...nothing },
    contactOpen: false,
    setContactOpen() {},
    shownConversations: { current: [] },
    host: { current: {} },
    serviceWorkerUrl: undefined,
    ...more,
  };
}

export function draw(part: ReactNode, { ui = uiOf(), store }: { ui?: Ui; store?: Store } = {}) {
  const i18n = setupI18n();
  i18n.loadAndActivate({ locale: 'en', messages: {} });
  const wrapped = (part: ReactNode) => (
    <I18nProvider i18n={i18n}>
      <UiContext value={ui}>{store ? <StoreContext value={store}><QueryClientProvider client={store.queries}>{part}</QueryClientProvider></StoreContext> : part}</UiContext>
    </I18nProvider>
  );
  const drawn = render(wrapped(part));
  return { ...drawn, rerender: (part: ReactNode) => drawn.rerender(wrapped(part)) };
}
