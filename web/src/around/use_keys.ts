import { useEffect } from 'react';
import { useUi } from '../ui/context';
import { forgetHub, isCurrent, makeCurrent, useHub, useSettings } from './hub';
import { type CommandId, commandOf, isAppleKeyboard, isField } from './shortcuts';

/** What a key that is held down goes on doing. */
const REPEATABLE: ReadonlySet<CommandId> = new Set(['nextConversation', 'previousConversation']);

/** Lets keys run commands. Of several inboxes on a page only the one that has the focus, or was used last, takes them. */
export function useKeys(root: HTMLElement | null): void {
  const hub = useHub();
  const { portal, features } = useUi();
  const [settings] = useSettings();
  const isOn = features.shortcuts !== false && settings.shortcuts;

  useEffect(() => {
    if (!root) return;
    makeCurrent(hub);
    const use = () => makeCurrent(hub);
    const places = portal && !root.contains(portal) ? [root, portal] : [root];
    for (const place of places) {
      place.addEventListener('pointerdown', use, true);
      place.addEventListener('focusin', use, true);
    }
    return () => {
      for (const place of places) {
        place.removeEventListener('pointerdown', use, true);
        place.removeEventListener('focusin', use, true);
      }
      forgetHub(hub);
    };
  }, [root, portal, hub]);

  useEffect(() => {
    if (!root || !isOn) return;
    const isApple = isAppleKeyboard();
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || hub.panel !== null || !isCurrent(hub)) return;
      const focus = event.target instanceof Element ? event.target : null;
      const isOurs = focus !== null && (root.contains(focus) || (portal?.contains(focus) ?? false));
      // With the focus on something of the host's, the keys are the host's.
      if (!isOurs && focus !== document.body && focus !== document.documentElement) return;
      if (focus?.closest('[role="dialog"], [role="alertdialog"], [role="menu"]')) return;
      const command = commandOf(event, { inField: isField(focus), isApple });
      if (command === null || (event.repeat && !REPEATABLE.has(command))) return;
      if (hub.run(command)) event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [root, portal, hub, isOn]);
}
