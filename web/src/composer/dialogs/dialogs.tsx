/** The dialogs of the composer, each loaded when it is opened for the first time. */
import type { Conversation } from '../../api/types';
import type { Draft } from '../../store/drafts';
import { deferredOverlay, type Part } from '../../ui/deferred';

/** What each of them is given. */
export interface DialogProps {
  readonly conversation: Conversation;
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly onClose: () => void;
  readonly onCloseFocus: () => void;
}

const DIALOGS = {
  templates: deferredOverlay<DialogProps>(async () => (await import('../templates/dialog')).TemplatesDialog),
  /** With the draft as a parameter. */
  draft_template: deferredOverlay<DialogProps>(async () => (await import('../templates/dialog')).DraftTemplateDialog),
  quick_replies: deferredOverlay<DialogProps>(async () => (await import('../quick_replies/dialog')).QuickRepliesDialog),
  buttons: deferredOverlay<DialogProps>(async () => (await import('./buttons')).ButtonsDialog),
  list: deferredOverlay<DialogProps>(async () => (await import('./list')).ListDialog),
  link: deferredOverlay<DialogProps>(async () => (await import('./link')).LinkDialog),
  location: deferredOverlay<DialogProps>(async () => (await import('./location')).LocationDialog),
  contacts: deferredOverlay<DialogProps>(async () => (await import('./contacts')).ContactsDialog),
} satisfies Record<string, Part<DialogProps>>;

export type DialogName = keyof typeof DIALOGS;

export function Dialogs({ name, ...props }: DialogProps & { name: DialogName | null }) {
  if (name === null) return null;
  const Dialog = DIALOGS[name];
  return <Dialog key={name} {...props} />;
}
