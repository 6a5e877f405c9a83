/** What stands around the inbox: banners above it, alerts, keys, and the dialogs that are not of one conversation. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { Banners } from './banners';
import { useHub, usePanel } from './hub';
import { useAlerts } from './use_alerts';
import { useCommands } from './use_commands';
import { useKeys } from './use_keys';
import { usePush } from './use_push';
import { useUser } from './use_user';

const Palette = lazy(async () => ({ default: (await import('./palette')).Palette }));
const SettingsDialog = lazy(async () => ({ default: (await import('./settings_dialog')).SettingsDialog }));
const ShortcutsSheet = lazy(async () => ({ default: (await import('./shortcuts_sheet')).ShortcutsSheet }));

/** Once within a `<LiveChatProvider>`, above the list and the thread. */
export function Around() {
  const [root, setRoot] = useState<HTMLElement | null>(null);
  return (
    <>
      <span hidden ref={(span) => setRoot(span?.closest<HTMLElement>('.wlc') ?? null)} />
      <Banners />
      <Works root={root} />
      <Panels />
    </>
  );
}

/** Draws nothing, so that what it follows draws nothing anew. */
function Works({ root }: { root: HTMLElement | null }) {
  const user = useUser();
  useAlerts(root, user);
  usePush(user !== null);
  useCommands(root);
  useKeys(root);
  return null;
}

function Panels() {
  const hub = useHub();
  const panel = usePanel();
  const close = () => hub.show(null);
  useEffect(() => () => hub.show(null), [hub]);
  return (
    <Suspense>
      {panel === 'palette' && <Palette onClose={close} />}
      {panel === 'settings' && <SettingsDialog onClose={close} />}
      {panel === 'shortcuts' && <ShortcutsSheet onClose={close} />}
    </Suspense>
  );
}
