// @vitest-environment happy-dom
import { setupI18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { type ComponentType, type ReactNode, StrictMode } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Ui, UiContext } from '../../src/ui/context';
import { deferred, deferredOverlay, deferredQuietly } from '../../src/ui/deferred';

interface Props {
  readonly name: string;
}
interface OverlayProps extends Props {
  readonly onClose: () => void;
}

const Part = ({ name }: Props) => <p>Here is {name}</p>;

/** Files that come, or do not, one after the other. */
function files<P extends object>(...answers: (ComponentType<P> | 'missing')[]) {
  return vi.fn(async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined || answer === 'missing') throw new TypeError('Failed to fetch dynamically imported module');
    return answer;
  });
}

const toast = vi.fn();

function show(part: ReactNode) {
  const i18n = setupI18n();
  i18n.loadAndActivate({ locale: 'en', messages: {} });
  return render(
    <StrictMode>
      <I18nProvider i18n={i18n}>
        <UiContext value={{ toast } as Partial<Ui> as Ui}>
          <p>The inbox</p>
          {part}
        </UiContext>
      </I18nProvider>
    </StrictMode>,
  );
}

afterEach(() => {
  cleanup();
  toast.mockReset();
});

describe('a part that is a file of its own', () => {
  it('is fetched when it is drawn, and something stands in its place until then', async () => {
    const load = files<Props>(Part);
    const Deferred = deferred(load, { Waiting: () => <p>Soon</p> });
    expect(load).not.toHaveBeenCalled();
    show(<Deferred name="Ada" />);
    expect(screen.getByText('Soon')).toBeTruthy();
    expect(await screen.findByText('Here is Ada')).toBeTruthy();
    expect(screen.queryByText('Soon')).toBeNull();
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('is there at once when it was fetched before', async () => {
    const Deferred = deferred(files<Props>(Part), { Waiting: () => <p>Soon</p> });
    await Deferred.preload();
    show(<Deferred name="Ada" />);
    expect(screen.getByText('Here is Ada')).toBeTruthy();
  });

  it('says in its place that it did not come, and comes by a click', async () => {
    const Deferred = deferred(files<Props>('missing', Part), {});
    show(<Deferred name="Ada" />);
    fireEvent.click(await screen.findByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Here is Ada')).toBeTruthy();
    expect(screen.getByText('The inbox')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('comes by itself once the browser is online again', async () => {
    const Deferred = deferred(files<Props>('missing', Part), {});
    show(<Deferred name="Ada" />);
    await screen.findByRole('alert');
    fireEvent(window, new Event('online'));
    expect(await screen.findByText('Here is Ada')).toBeTruthy();
  });

  it('is not asked for while the browser is offline, and comes once it is not', async () => {
    const load = files<Props>(Part);
    const Deferred = deferred(load, {});
    const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    await expect(Deferred.preload()).rejects.toThrow('offline');
    show(<Deferred name="Ada" />);
    await screen.findByRole('alert');
    expect(load).not.toHaveBeenCalled();
    onLine.mockReturnValue(true);
    fireEvent(window, new Event('online'));
    expect(await screen.findByText('Here is Ada')).toBeTruthy();
  });

  it('is asked for again after it was fetched ahead in vain', async () => {
    const Deferred = deferred(files<Props>('missing', Part), {});
    await expect(Deferred.preload()).rejects.toThrow('Failed to fetch');
    show(<Deferred name="Ada" />);
    expect(await screen.findByText('Here is Ada')).toBeTruthy();
  });
});

describe('a part that opens over others', () => {
  it('is closed, and that is said once, where it does not come', async () => {
    const Overlay = deferredOverlay(files<OverlayProps>('missing'));
    const close = vi.fn();
    show(<Overlay name="Ada" onClose={close} />);
    await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(1));
    expect(screen.getByText('The inbox')).toBeTruthy();
    expect(toast).toHaveBeenCalledExactlyOnceWith({ tone: 'danger', text: expect.stringContaining('could not be loaded') });
  });
});

describe('a part that nobody looks for', () => {
  it('stays away without a word, and comes once the browser is online', async () => {
    const load = files<Props>('missing', Part);
    const Quiet = deferredQuietly(load);
    show(<Quiet name="Ada" />);
    await vi.waitFor(() => expect(load).toHaveBeenCalled());
    expect(screen.queryByRole('alert')).toBeNull();
    // Until the failure has been drawn nobody listens.
    await vi.waitFor(() => {
      fireEvent(window, new Event('online'));
      expect(screen.getByText('Here is Ada')).toBeTruthy();
    });
  });
});
