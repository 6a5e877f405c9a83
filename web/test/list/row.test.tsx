// @vitest-environment happy-dom
import { setupI18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/api/types';
import { Row } from '../../src/list/row';
import { type Ui, UiContext } from '../../src/ui/context';
import { conversation } from './conversations';

const NOW = Date.parse('2026-07-01T12:30:00Z');

function show(given: Partial<Conversation>, more: { draft?: string; isOpen?: boolean; number?: string } = {}): HTMLElement {
  const i18n = setupI18n();
  i18n.loadAndActivate({ locale: 'en', messages: {} });
  const ui = { locale: 'en-GB', timeZone: 'UTC', dir: 'ltr', components: {}, features: {} } as Partial<Ui> as Ui;
  render(
    <I18nProvider i18n={i18n}>
      <UiContext value={ui}>
        <div role="grid">
          <div role="row">
            <Row
              conversation={conversation(given)}
              now={NOW}
              isOpen={more.isOpen ?? false}
              isSelecting={false}
              isSelected={false}
              canSelect
              draft={more.draft}
              number={more.number ?? null}
              showArchived={false}
            />
          </div>
        </div>
      </UiContext>
    </I18nProvider>,
  );
  return screen.getByRole('row');
}

afterEach(cleanup);

describe('a row of the list', () => {
  it('says who, what, when and how much is unread', () => {
    const row = show({ unread_count: 3 });
    expect(row.textContent).toContain('Ada Moreno');
    expect(row.textContent).toContain('Hello');
    expect(row.textContent).toContain('12:00');
    expect(screen.getByRole('img', { name: '3 unread' })).toBeTruthy();
  });

  it('goes by the username, and else by the number, where there is no name', () => {
    expect(show({ customer_name: null, customer_username: 'ada' }).textContent).toContain('@ada');
    cleanup();
    expect(show({ customer_name: null }).textContent).toContain('+491511234567');
  });

  it('tells how long the customer waits, and how long the window is open, when that is less than 4 hours', () => {
    const row = show({ needs_reply: true, waiting_since: '2026-07-01T12:00:00Z', window_expires_at: '2026-07-01T16:00:00Z' });
    expect(row.textContent).toContain('Waiting for an answer for 30m');
    expect(row.textContent).toContain('The customer service window closes in 3h 30m');
    cleanup();
    expect(show({ window_expires_at: '2026-07-01T16:31:00Z' }).textContent).not.toContain('closes');
    cleanup();
    expect(show({ window_expires_at: '2026-07-01T12:30:00Z' }).textContent).toContain('The customer service window is closed');
  });

  it.each([
    ['pending', 'Waiting to be sent'],
    ['sent', 'Sent'],
    ['delivered', 'Delivered'],
    ['read', 'Read'],
    ['failed', 'Not sent'],
  ])('says that an own message is %s', (last_message_status, name) => {
    show({ last_message_sender: 'user', last_message_status });
    expect(screen.getByRole('img', { name })).toBeTruthy();
  });

  it('has no tick on what the customer wrote', () => {
    show({ last_message_status: 'read' });
    expect(screen.queryByRole('img', { name: 'Read' })).toBeNull();
  });

  it('shows what was begun to be written, unless it is open', () => {
    expect(show({}, { draft: 'Dear Ada' }).textContent).toContain('Draft:Dear Ada');
    cleanup();
    expect(show({}, { draft: 'Dear Ada', isOpen: true }).textContent).not.toContain('Dear Ada');
  });

  it('tells the number it came to where that is given', () => {
    expect(show({}, { number: 'Lucky Shrub' }).textContent).toContain('Lucky Shrub');
  });
});
