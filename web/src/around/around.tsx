/** What stands around the inbox: banners above it, alerts, keys, and the dialogs that are not of one conversation. */
import { useEffect, useState } from 'react';
import { deferredOverlay, type Part, usePreload } from '../ui/deferred';
import { Banners } from './banners';
import { type Panel, useHub, usePanel } from './hub';
import { useAlerts } from './use_alerts';
import { useCommands } from './use_commands';
import { useKeys } from './use_keys';
import { usePush } from './use_push';
import { useUser } from './use_user';

/** Files of their own, fetched when nothing else is to do: by then they open at once, also offline. */
const PANELS: Readonly<Record<Panel, Part<{ onClose: () => void }>>> = {
  palette: deferredOverlay(async () => (await import('./palette')).Palette),
  settings: deferredOverlay(async () => (await import('./settings_dialog')).SettingsDialog),
  shortcuts: deferredOverlay(async () => (await import('./shortcuts_sheet')).ShortcutsSheet),
};

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
  useEffect(() => () => hub.show(null), [hub]);
  usePreload(...Object.values(PANELS));
  if (!panel) return null;
  const Shown = PANELS[panel];
  return <Shown key={panel} onClose={() => hub.show(null)} />;
}
