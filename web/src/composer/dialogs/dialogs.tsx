/** The dialogs of the composer, each loaded when it is opened for the first time. */
import type { ComponentType } from 'react';
import type { Conversation } from '../../api/types';
import type { Draft } from '../../store/drafts';
import { Deferred } from '../../ui/deferred';

/** What each of them is given. */
export interface DialogProps {
  readonly conversation: Conversation;
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly onClose: () => void;
  readonly onCloseFocus: () => void;
}

const LOADERS = {
  templates: async () => (await import('../templates/dialog')).TemplatesDialog,
  /** With the draft as a parameter. */
  draft_template: async () => (await import('../templates/dialog')).DraftTemplateDialog,
  quick_replies: async () => (await import('../quick_replies/dialog')).QuickRepliesDialog,
  buttons: async () => (await import('./buttons')).ButtonsDialog,
  list: async () => (await import('./list')).ListDialog,
  link: async () => (await import('./link')).LinkDialog,
  location: async () => (await import('./location')).LocationDialog,
  contacts: async () => (await import('./contacts')).ContactsDialog,
} satisfies Record<string, () => Promise<ComponentType<DialogProps>>>;

export type DialogName = keyof typeof LOADERS;

export function Dialogs({ name, ...props }: DialogProps & { name: DialogName | null }) {
  return name === null ? null : <Deferred key={name} load={LOADERS[name]} props={props} onFail={props.onClose} />;
}
