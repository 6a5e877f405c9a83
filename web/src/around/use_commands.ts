import { useLingui } from '@lingui/react/macro';
import { ApiError } from '../api/client';
import type { Conversation } from '../api/types';
import { useActions } from '../hooks/actions';
import { useConversation } from '../hooks/conversations';
import { useStore } from '../store/context';
import { nameOf } from '../ui/avatar';
import { useUi } from '../ui/context';
import { useHub, useShortcut } from './hub';
import { isField } from './shortcuts';
import { afterLeaving, neighbour, nextUnread } from './steps';

/** What the commands do, unless a part that is mounted knows better. */
export function useCommands(root: HTMLElement | null): void {
  const { t } = useLingui();
  const store = useStore();
  const ui = useUi();
  const hub = useHub();
  const actions = useActions();
  const { features, conversationId, phoneNumberId } = ui;
  const conversation = useConversation(conversationId) ?? null;
  const shown = () => ui.shownConversations.current;

  /** Whoever writes goes on writing in the next conversation, and whoever reads goes on reading: what has the focus goes with its conversation. */
  const focusAfter = (): { focus?: 'composer' | 'thread' } => {
    const focused = document.activeElement;
    if (!focused || !root?.contains(focused)) return {};
    if (isField(focused)) return { focus: 'composer' };
    return focused.closest('[role="feed"]') ? { focus: 'thread' } : {};
  };
  /** Closes what is open. Where the focus was in it, the list has it then. */
  const leave = () => {
    const { focus } = focusAfter();
    ui.openConversation(null);
    const find = (what: string) => root?.querySelector<HTMLElement>(what);
    if (focus) requestAnimationFrame(() => (find('[role="row"][tabindex="0"]') ?? find('[role="searchbox"]'))?.focus());
  };
  const open = (next: Conversation | undefined, none: string) => {
    if (!next) return ui.announce(none);
    ui.openConversation(next.id, focusAfter());
    ui.announce(nameOf(next));
  };
  const openUnread = async () => {
    const loaded = nextUnread(shown(), conversationId);
    if (loaded) return open(loaded, '');
    try {
      // The list may be filtered, or show its beginning only.
      const query = { filter: 'unread', status: 'active', limit: 2, ...(phoneNumberId !== null && { phone_number_id: phoneNumberId }) } as const;
      const reply = await store.load((client, signal) => client.get('/api/live-chat/conversations', { query, signal }), () => {});
      const other = reply.conversations.find(({ id }) => id !== conversationId);
      if (other) open(other, '');
      else ui.toast({ text: t`Nothing is unread.` });
    } catch {
      ui.toast({ text: t`The next unread conversation could not be loaded.`, tone: 'danger' });
    }
  };
  const failed = (error: unknown) => {
    const isNothing = error instanceof ApiError && error.code === 'nothing_to_read';
    ui.toast({ text: isNothing ? t`The customer has not written yet.` : t`That did not work. Try again.`, tone: 'danger' });
  };
  const archive = async (gone: Conversation) => {
    const next = afterLeaving(shown(), gone.id);
    const undo = () => {
      // What was pressed goes.
      ui.openConversation(gone.id, { focus: 'thread' });
      actions.setStatus(gone.id, 'active').catch(failed);
    };
    if (next) ui.openConversation(next.id, focusAfter());
    else leave();
    try {
      await actions.setStatus(gone.id, 'archived');
      const name = nameOf(gone);
      ui.toast({ text: t`Archived: ${name}`, action: { label: t`Undo`, run: undo } });
    } catch (error) {
      ui.openConversation(gone.id);
      failed(error);
    }
  };
  const markUnread = async (id: number) => {
    // A conversation that stays open would be read at once again.
    leave();
    try {
      await actions.markUnread(id);
      ui.toast({ text: t`Marked as unread.` });
    } catch (error) {
      ui.openConversation(id);
      failed(error);
    }
  };
  const search = () => {
    const field = root?.querySelector<HTMLElement>('[role="searchbox"], input[type="search"]');
    // Where there is no room, the list is not shown beside a conversation.
    if (field?.offsetParent === null) {
      ui.openConversation(null);
      requestAnimationFrame(() => field.focus());
    } else field?.focus();
  };

  const isOpen = conversationId !== null;
  const isActive = conversation?.status === 'active';
  useShortcut('palette', features.palette === false ? null : () => hub.show('palette'));
  useShortcut('shortcuts', features.shortcuts === false ? null : () => hub.show('shortcuts'));
  useShortcut('settings', () => hub.show('settings'));
  useShortcut('search', features.search === false ? null : search);
  useShortcut('nextConversation', () => open(neighbour(shown(), conversationId, 1), t`This is the last conversation.`));
  useShortcut('previousConversation', () => open(neighbour(shown(), conversationId, -1), t`This is the first conversation.`));
  useShortcut('nextUnread', () => void openUnread());
  useShortcut('archiveAndNext', conversation && isActive ? () => void archive(conversation) : null);
  useShortcut('markUnread', isOpen ? () => void markUnread(conversationId) : null);
  useShortcut('reply', isOpen ? () => ui.composer.current?.focus() : null);
  useShortcut('templates', isOpen && features.templates !== false ? () => ui.composer.current?.openTemplates() : null);
  useShortcut('searchInConversation', isOpen && features.search !== false ? () => ui.thread.current?.openSearch() : null);
  useShortcut('contactPanel', isOpen && features.contactPanel !== false ? () => ui.setContactOpen(!ui.contactOpen) : null);
}
