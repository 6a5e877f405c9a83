/** What stands around the inbox: banners above it, alerts, keys, and the dialogs that are not of one conversation. */
import { type ComponentType, useEffect, useState } from 'react';
import { Deferred, preload } from '../ui/deferred';
import { Banners } from './banners';
import { type Panel, useHub, usePanel } from './hub';
import { useAlerts } from './use_alerts';
import { useCommands } from './use_commands';
import { useKeys } from './use_keys';
import { usePush } from './use_push';
import { useUser } from './use_user';

type PanelPart = ComponentType<{ onClose: () => void }>;

/** Files of their own, fetched when nothing else is to do: by then they open at once, also offline. */
const PARTS: Readonly<Record<Panel, () => Promise<PanelPart>>> = {
  palette: async () => (await import('./palette')).Palette,
  settings: async () => (await import('./settings_dialog')).SettingsDialog,
  shortcuts: async () => (await import('./shortcuts_sheet')).ShortcutsSheet,
};
const FETCHED_AFTER_MS = 3_000;

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
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of Object.values(PARTS)) void preload(load);
    }, FETCHED_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const close = () => hub.show(null);
  return panel && <Deferred key={panel} load={PARTS[panel]} props={{ onClose: close }} onFail={close} />;
}
