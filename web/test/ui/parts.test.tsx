// @vitest-environment happy-dom
import { cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Boundary } from '../../src/ui/boundary';
import { deferred, deferredOverlay } from '../../src/ui/deferred';
import { draw, uiOf } from './drawn';

afterEach(cleanup);

const Part = ({ name }: { name: string }) => <p>{name}</p>;

describe('a part in a file of its own', () => {
  it('says that it could not be loaded, and comes with another try', async () => {
    let isOnline = false;
    const load = () => (isOnline ? Promise.resolve(Part) : Promise.reject(new Error('Failed to fetch')));
    const Deferred = deferred<{ name: string }>(load, {});
    draw(<Deferred name="Thread" />);
    const again = await screen.findByRole('button', { name: 'Try again' });
    isOnline = true;
    fireEvent.click(again);
    expect((await screen.findByText('Thread')).tagName).toBe('P');
  });

  it('that was opened is closed with words where it cannot be loaded', async () => {
    const toast = vi.fn();
    const closed = new Promise<void>((resolve) => {
      const Opened = deferredOverlay<{ onClose: () => void }>(() => Promise.reject(new Error('Failed to fetch')));
      draw(<Opened onClose={resolve} />, { ui: uiOf({ toast }) });
    });
    await closed;
    expect(toast.mock.calls[0]?.[0]).toMatchObject({ tone: 'danger', text: expect.stringContaining('could not be loaded') });
  });
});

describe('a mistake in one part', () => {
  it('leaves the others, is told to the host, and another conversation is drawn anew', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const onError = vi.fn();
    const ui = uiOf({ host: { current: { onError } } });
    const Broken = (): never => {
      throw new Error('No such thing');
    };
    const page = (id: number) => (
      <>
        <p>List</p>
        <Boundary of={id}>{id === 1 ? <Broken /> : <p>Thread {id}</p>}</Boundary>
      </>
    );
    const { rerender } = draw(page(1), { ui });
    expect(screen.getByText('List').tagName).toBe('P');
    expect(screen.getByRole('alert').textContent).toContain('Something went wrong here');
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ message: 'No such thing' });
    rerender(page(2));
    expect(screen.getByText('Thread 2').tagName).toBe('P');
  });
});
