import { useLingui } from '@lingui/react/macro';
import { useEffect, useState } from 'react';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { useHub, useSettings } from './hub';
import { useMessageWords } from './message_words';
import { isPushSupported, subscribePush, unsubscribePush } from './push';
import { Switch } from './switch';

type Permission = NotificationPermission | 'unsupported';

/** Notifications of the computer: by the service worker where there is one, else by the page while it is open. */
export function NotificationSettings() {
  const { t } = useLingui();
  const store = useStore();
  const hub = useHub();
  const { serviceWorkerUrl, toast } = useUi();
  const words = useMessageWords();
  const [{ notify, showText }, change] = useSettings();
  const permission = usePermission();
  const [isBusy, setBusy] = useState(false);
  const isOn = notify && permission === 'granted';
  const url = serviceWorkerUrl !== undefined && isPushSupported() ? serviceWorkerUrl : null;
  const [isPushed, setPushed] = useState(hub.isPushed);

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch {
      toast({ text: t`That did not work. Try again.`, tone: 'danger' });
    } finally {
      setBusy(false);
    }
  };
  const switchOn = () =>
    attempt(async () => {
      if ((await Notification.requestPermission()) !== 'granted') return;
      if (url !== null) hub.isPushed = await subscribePush(store.client, url, { showText, words }).catch(withoutPushService);
      setPushed(hub.isPushed);
      change({ notify: true });
    });
  const switchOff = () =>
    attempt(async () => {
      change({ notify: false });
      hub.isPushed = false;
      setPushed(false);
      if (url !== null) await unsubscribePush(store.client, url);
    });
  const hint = () => {
    if (permission === 'unsupported') return t`This browser has no notifications. On an iPhone or iPad, add the page to the home screen first.`;
    if (permission === 'denied') return t`Blocked for this page. Open the site settings beside the address, allow notifications, and load the page again.`;
    if (isOn && !isPushed) return t`As long as this page is open, also in the background.`;
    return url === null ? t`While you look at something else and this page is open.` : t`While you look at something else, also when this page is closed.`;
  };
  return (
    <>
      <Switch
        label={t`Notify me on this computer`}
        hint={hint()}
        checked={isOn}
        disabled={isBusy || permission === 'unsupported' || permission === 'denied'}
        onChange={(on) => void (on ? switchOn() : switchOff())}
      />
      {isOn && (
        <Switch
          label={t`Show names and messages`}
          hint={t`Switch it off where others can see your screen.`}
          checked={showText}
          disabled={isBusy}
          onChange={(showText) => change({ showText })}
        />
      )}
    </>
  );
}

/** Some browsers have no push service behind them, or one that cannot be reached: the page notifies then, as long as it is open. */
function withoutPushService(error: unknown): false {
  if (error instanceof DOMException) return false;
  throw error;
}

/** What the browser allows, also when that is changed in its own settings meanwhile. */
function usePermission(): Permission {
  const read = (): Permission => (typeof Notification === 'undefined' ? 'unsupported' : Notification.permission);
  const [permission, setPermission] = useState(read);
  useEffect(() => {
    let status: PermissionStatus | null = null;
    let current = true;
    const follow = () => setPermission(read());
    void navigator.permissions
      ?.query({ name: 'notifications' })
      .then((found) => {
        if (!current) return;
        status = found;
        status.addEventListener('change', follow);
      })
      .catch(() => {});
    return () => {
      current = false;
      status?.removeEventListener('change', follow);
    };
  }, []);
  return permission;
}
