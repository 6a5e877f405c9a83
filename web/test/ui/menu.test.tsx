// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { IconButton } from '../../src/ui/button';
import { type Ui, UiContext } from '../../src/ui/context';
import { Menu, MenuItem } from '../../src/ui/menu';

const chosen = vi.fn();

function show() {
  render(
    <UiContext value={{ portal: document.body, dir: 'ltr' } as Partial<Ui> as Ui}>
      <Menu trigger={<IconButton label="More">…</IconButton>}>
        <MenuItem onSelect={() => chosen('archive')}>Archive</MenuItem>
        <MenuItem onSelect={() => chosen('read')}>Mark as read</MenuItem>
      </Menu>
    </UiContext>,
  );
  return screen.getByRole('button', { name: 'More' });
}

afterEach(() => {
  cleanup();
  chosen.mockReset();
});

describe('a menu', () => {
  it('opens by the first press, though what it is made of is fetched only then', async () => {
    const button = show();
    expect(button.getAttribute('aria-expanded')).toBe('false');
    fireEvent.pointerDown(button, { button: 0, pointerType: 'mouse' });
    expect(button.getAttribute('aria-expanded')).toBe('true');
    const menu = await screen.findByRole('menu');
    expect(menu.getAttribute('aria-labelledby')).toBe(button.id);
    fireEvent.click(screen.getByRole('menuitem', { name: 'Mark as read' }));
    expect(chosen).toHaveBeenCalledExactlyOnceWith('read');
    await waitFor(() => expect(screen.queryByRole('menu')).toBeNull());
    expect(screen.getByRole('button', { name: 'More' })).toBe(button);
  });

  it.each(['ArrowDown', 'Enter', ' '])('opened by the key %j has the focus on its first item, and gives it back', async (key) => {
    const button = show();
    button.focus();
    fireEvent.keyDown(button, { key });
    await screen.findByRole('menu');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('menuitem', { name: 'Archive' })));
    fireEvent.keyDown(document.activeElement as Element, { key: 'Escape' });
    await waitFor(() => expect(document.activeElement).toBe(button));
    expect(screen.queryByRole('menu')).toBeNull();
  });

  it('opens by a click that no pointer made, as screen readers do', async () => {
    fireEvent.click(show(), { detail: 0 });
    expect(await screen.findByRole('menu')).toBeTruthy();
  });
});
