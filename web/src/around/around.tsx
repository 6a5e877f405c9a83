/** What stands around the inbox: banners above it, alerts, keys, and the dialogs that are not of one conversation. */
import { useLingui } from '@lingui/react/macro';
import { type ComponentType, useEffect, useRef, useState } from 'react';
import { useUi } from '../ui/context';
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
      // In vain is no harm: it is fetched again when it is opened.
      for (const load of Object.values(PARTS)) load().catch(() => {});
    }, FETCHED_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return panel && <Loaded key={panel} panel={panel} onClose={() => hub.show(null)} />;
}

function Loaded({ panel, onClose }: { panel: Panel; onClose: () => void }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const [Part, setPart] = useState<PanelPart | null>(null);
  const failed = useRef(() => {});
  useEffect(() => {
    failed.current = () => {
      toast({ text: t`This could not be loaded. Check your connection, and try again.`, tone: 'danger' });
      onClose();
    };
  });
  useEffect(() => {
    let current = true;
    PARTS[panel]().then(
      (part) => current && setPart(() => part),
      () => current && failed.current(),
    );
    return () => {
      current = false;
    };
  }, [panel]);
  return Part && <Part onClose={onClose} />;
}
