/** The last message of a conversation in one line: what it is, and whether the customer has it. */
import { useLingui } from '@lingui/react/macro';
import {
  Ban, Camera, Check, CheckCheck, CircleAlert, CircleHelp, Clock3, FileText, Info, LayoutTemplate, ListChecks, type LucideIcon, MapPin, Mic, ShoppingBag, Sticker, UserRound, Video,
} from 'lucide-react';
import type { Conversation } from '../api/types';
import { cn } from '../ui/cn';
import { previewOf, type PreviewKind } from './preview_of';

const ICONS: Record<PreviewKind, LucideIcon | null> = {
  none: null,
  text: null,
  image: Camera,
  video: Video,
  audio: Mic,
  document: FileText,
  sticker: Sticker,
  location: MapPin,
  contacts: UserRound,
  interactive: ListChecks,
  template: LayoutTemplate,
  button: null,
  order: ShoppingBag,
  system: Info,
  unsupported: CircleHelp,
  deleted: Ban,
};

/** What each kind is called; it stands in for words of its own, and is said before them. */
export function useKindWords(): Record<PreviewKind, string> {
  const { t } = useLingui();
  return {
    none: t`No messages yet`,
    text: '',
    image: t`Photo`,
    video: t`Video`,
    audio: t`Audio`,
    document: t`Document`,
    sticker: t`Sticker`,
    location: t`Location`,
    contacts: t`Contact`,
    interactive: t`Choices`,
    template: t`Template`,
    button: t`Answer by button`,
    order: t`Order`,
    system: t`Notice from WhatsApp`,
    unsupported: t`Unsupported message`,
    deleted: t`Message deleted`,
  };
}

export function Preview({ conversation }: { conversation: Conversation }) {
  const words = useKindWords();
  const { kind, text } = previewOf(conversation);
  const Icon = ICONS[kind];
  return (
    <>
      {conversation.last_message_sender === 'user' && kind !== 'deleted' && <Tick status={conversation.last_message_status ?? null} />}
      {Icon && <Icon aria-hidden className="lc:size-4 lc:shrink-0" />}
      {Icon && text && words[kind] && <span className="lc:sr-only">{words[kind]}</span>}
      <span className={cn('lc:min-w-0 lc:truncate', kind === 'deleted' && 'lc:italic')}>
        <bdi>{text || words[kind]}</bdi>
      </span>
    </>
  );
}

/** How far a message of ours has come. */
function Tick({ status }: { status: string | null }) {
  const { t } = useLingui();
  const known: Record<string, [LucideIcon, string, string]> = {
    pending: [Clock3, t`Waiting to be sent`, ''],
    sent: [Check, t`Sent`, ''],
    delivered: [CheckCheck, t`Delivered`, ''],
    read: [CheckCheck, t`Read`, 'lc:text-read lc:stroke-[2.75]'],
    failed: [CircleAlert, t`Not sent`, 'lc:text-danger'],
  };
  const found = known[status ?? ''];
  if (!found) return null;
  const [Icon, label, className] = found;
  return <Icon role="img" aria-label={label} className={cn('lc:size-4 lc:shrink-0', className)} />;
}
