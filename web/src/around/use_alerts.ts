import { useLingui } from '@lingui/react/macro';
import { useEffect, useRef, useState } from 'react';
import { usePhoneNumbers } from '../hooks/misc';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { Alerts } from './alerts';
import { Claims } from './claims';
import { useHub } from './hub';
import { useMessageWords } from './message_words';

/** Tells the agent and the host of new messages as long as it is mounted. `root` is what the agent clicks into; `user` is whose messages they are. */
export function useAlerts(root: HTMLElement | null, user: string | null): void {
  const { t } = useLingui();
  const store = useStore();
  const ui = useUi();
  const hub = useHub();
  const words = useMessageWords();
  const [claims, setClaims] = useState<Claims | null>(null);
  const latest = useRef({ ui, words, blocked: '' });
  useEffect(() => {
    latest.current = { ui, words, blocked: t`A customer wrote. Your browser plays sounds only after you click into this page.` };
  });

  useEffect(() => {
    if (user === null) return;
    const claims = new Claims(user);
    let hasTold = false;
    const alerts = new Alerts({
      store,
      claims,
      settings: hub.settings,
      sounder: hub.sounder,
      host: ui.host,
      words: () => latest.current.words,
      features: () => latest.current.ui.features,
      isPushed: () => hub.isPushed,
      onOpen: (id) => latest.current.ui.openConversation(id),
      onBlocked: () => {
        if (hasTold) return;
        hasTold = true;
        latest.current.ui.toast({ text: latest.current.blocked });
      },
    });
    const end = alerts.start();
    setClaims(claims);
    return () => {
      end();
      claims.end();
      setClaims(null);
    };
  }, [store, hub, user, ui.host]);

  const { conversationId } = ui;
  useEffect(() => {
    if (!claims) return;
    const look = () => claims.look(document.visibilityState === 'visible' ? { conversationId } : null);
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [claims, conversationId]);

  const sounds = ui.features.sounds !== false;
  useEffect(() => {
    if (!root || !sounds) return;
    const { sounder } = hub;
    const unlock = () => {
      if (!hub.settings.value.sounds) return;
      sounder.unlock();
      stop();
    };
    const events = ['pointerup', 'keydown'] as const;
    const stop = () => events.forEach((event) => root.removeEventListener(event, unlock, true));
    events.forEach((event) => root.addEventListener(event, unlock, true));
    return () => {
      stop();
      sounder.close();
    };
  }, [root, hub, sounds]);

  const numbers = usePhoneNumbers();
  const unread = numbers?.reduce((sum, number) => sum + number.unread_count, 0);
  const { host } = ui;
  useEffect(() => {
    if (unread !== undefined) host.current.onUnreadChange?.(unread);
  }, [unread, host]);
}
