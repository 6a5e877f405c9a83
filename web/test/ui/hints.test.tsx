// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IconButton } from '../../src/ui/button';
import { type Ui, UiContext } from '../../src/ui/context';
import { Hints } from '../../src/ui/hints';

function show() {
  render(
    <UiContext value={{ portal: document.body } as Partial<Ui> as Ui}>
      <Hints>
        <IconButton label="Archive">A</IconButton>
        <IconButton label="Mark as read">R</IconButton>
        <IconButton label="Close" hint={null}>
          X
        </IconButton>
      </Hints>
    </UiContext>,
  );
}

const point = (name: string, pointerType = 'mouse') => fireEvent.pointerOver(screen.getByRole('button', { name }), { pointerType });
const pass = (milliseconds: number) => act(() => vi.advanceTimersByTime(milliseconds));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('hints', () => {
  it('come to a button that is pointed at for half a second', () => {
    show();
    point('Archive');
    pass(400);
    expect(screen.queryByText('Archive')).toBeNull();
    pass(150);
    expect(screen.getByText('Archive')).toBeTruthy();
  });

  it('follow at once from button to button, and go when nothing is pointed at', () => {
    show();
    point('Archive');
    pass(500);
    point('Mark as read');
    pass(0);
    expect(screen.getByText('Mark as read')).toBeTruthy();
    expect(screen.queryByText('Archive')).toBeNull();
    fireEvent.pointerOver(screen.getByRole('button', { name: 'Archive' }).parentElement as Element, { pointerType: 'mouse' });
    pass(200);
    expect(screen.queryByText('Mark as read')).toBeNull();
  });

  it('stay while they are read under the pointer, and go by Escape', () => {
    show();
    point('Archive');
    pass(500);
    fireEvent.pointerOver(screen.getByText('Archive'), { pointerType: 'mouse' });
    pass(1000);
    expect(screen.getByText('Archive')).toBeTruthy();
    fireEvent.keyDown(screen.getByRole('button', { name: 'Archive' }), { key: 'Escape' });
    expect(screen.queryByText('Archive')).toBeNull();
  });

  it('do not come to a finger, to a button that was pressed, nor to one that wants none', () => {
    show();
    point('Archive', 'touch');
    pass(1000);
    expect(screen.queryByText('Archive')).toBeNull();
    point('Archive');
    fireEvent.pointerDown(screen.getByRole('button', { name: 'Archive' }));
    pass(1000);
    expect(screen.queryByText('Archive')).toBeNull();
    point('Close');
    pass(1000);
    expect(screen.queryByText('Close')).toBeNull();
  });
});
