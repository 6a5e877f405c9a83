/** What the agent has to know before writing: the window, the account, who else is writing. */
import { Trans, useLingui } from '@lingui/react/macro';
import { CircleAlert, Clock, LayoutTemplate, PenLine, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Conversation } from '../api/types';
import { usePhoneNumbers, useTyping } from '../hooks/misc';
import { useFormat } from '../i18n/format';
import type { Draft } from '../store/drafts';
import { nameOf } from '../ui/avatar';
import { Button, IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import type { WindowState } from './window';

export function Notice({ tone = 'plain', icon, children }: { tone?: 'plain' | 'warning'; icon: ReactNode; children: ReactNode }) {
  return (
    <div
      className={cn(
        'lc:flex lc:items-center lc:gap-2 lc:px-4 lc:py-1.5 lc:text-xs lc:[&>svg]:size-4 lc:[&>svg]:shrink-0',
        tone === 'warning' ? 'lc:bg-warning-soft lc:text-warning' : 'lc:text-soft',
      )}
    >
      {icon}
      <span className="lc:min-w-0 lc:grow">{children}</span>
    </div>
  );
}

/** Why messages of this number wait; nothing where they go. */
export function AccountNotice({ conversation }: { conversation: Conversation }) {
  const { t } = useLingui();
  const number = usePhoneNumbers()?.find(({ phone_number_id: id }) => id === conversation.phone_number_id);
  if (!number || number.account_status === 'active') return null;
  const reasons: Record<string, string> = {
    reconnect_required: t`WhatsApp has to be connected again. Messages wait until then, for a day at the most.`,
    payment_required: t`WhatsApp wants a payment method. Messages wait until there is one, for a day at the most.`,
    registration_required: t`This number has to be registered with WhatsApp again. Messages wait until then, for a day at the most.`,
    spam_limited: t`WhatsApp limits this number because of complaints. Messages wait, for a day at the most.`,
    restricted: t`WhatsApp has restricted this account. Messages wait, for a day at the most.`,
    disabled: t`WhatsApp has disabled this account. Messages wait, for a day at the most.`,
    disable_scheduled: t`WhatsApp is going to disable this account. Messages may wait, for a day at the most.`,
    rejected: t`WhatsApp has rejected this account. Messages wait, for a day at the most.`,
    deleted: t`This account was deleted at WhatsApp. Messages do not go out.`,
  };
  return (
    <Notice tone="warning" icon={<CircleAlert aria-hidden />}>
      {reasons[number.account_status] ?? t`This number cannot send at present. Messages wait, for a day at the most.`}
    </Notice>
  );
}

export function ClosingNotice({ leftMs }: { leftMs: number }) {
  const { left } = useFormat();
  const time = left(Math.max(leftMs, 60_000));
  return (
    <Notice icon={<Clock aria-hidden />}>
      <Trans>You can write freely for another {time}.</Trans>
    </Notice>
  );
}

/** Another page of this agent is writing to the same customer. */
export function TypingNotice({ conversationId }: { conversationId: number }) {
  const { t } = useLingui();
  return useTyping(conversationId) ? <Notice icon={<PenLine aria-hidden />}>{t`An answer is being written on another page of yours.`}</Notice> : null;
}

/** In the place of the text, once the window closed. */
export function ClosedWindow({
  conversation,
  window,
  draft,
  hasTemplates,
  onTemplate,
  onUseDraft,
}: {
  conversation: Conversation;
  window: WindowState & { state: 'closed' };
  draft: Draft;
  hasTemplates: boolean;
  onTemplate: () => void;
  onUseDraft: () => void;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const name = nameOf(conversation);
  const closedAt = window.closedAt && format.moment(window.closedAt, Date.now());
  return (
    <div className="lc:flex lc:flex-col lc:gap-2 lc:px-4 lc:py-3">
      <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-x-4 lc:gap-y-2">
        <Clock aria-hidden className="lc:size-5 lc:shrink-0 lc:text-soft" />
        <p className="lc:min-w-48 lc:grow lc:basis-64">
          <strong className="lc:block">
            {closedAt ? <Trans>The 24 hours to answer are over ({closedAt})</Trans> : <Trans>{name} has not written yet</Trans>}
          </strong>
          <span className="lc:text-soft">
            {hasTemplates ? (
              <Trans>WhatsApp lets you send a template. Once they write, you can answer freely for 24 hours.</Trans>
            ) : (
              <Trans>Once they write, you can answer freely for 24 hours.</Trans>
            )}
          </span>
        </p>
        {hasTemplates && (
          <Button tone="accent" onClick={onTemplate}>
            <LayoutTemplate aria-hidden className="lc:size-4.5" />
            {t`Send template`}
          </Button>
        )}
      </div>
      {(draft.text.trim() !== '' || draft.files.length > 0) && (
        <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-x-3 lc:gap-y-1 lc:rounded-lg lc:bg-canvas lc:px-3 lc:py-2">
          <p className="lc:min-w-40 lc:grow lc:basis-52">
            <span className="lc:block lc:text-xs lc:text-soft">{t`Your draft is kept`}</span>
            <span dir="auto" className="lc:line-clamp-2 lc:break-words">
              {draft.text.trim() || format.joined(draft.files.map(({ name }) => name))}
            </span>
          </p>
          {hasTemplates && draft.text.trim() !== '' && (
            <Button tone="outline" onClick={onUseDraft}>
              {t`Use it in a template`}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** The message that is answered, above the text. */
export function ReplyBar({ conversation, replyTo, onCancel }: { conversation: Conversation | null | undefined; replyTo: NonNullable<Draft['replyTo']>; onCancel: () => void }) {
  const { t } = useLingui();
  const kinds: Record<string, string> = {
    image: t`Photo`,
    video: t`Video`,
    audio: t`Audio`,
    document: t`Document`,
    sticker: t`Sticker`,
    location: t`Location`,
    contacts: t`Contact`,
    template: t`Template`,
  };
  const author = replyTo.sender === 'user' ? t`You` : conversation ? nameOf(conversation) : '';
  return (
    <div className="lc:flex lc:items-center lc:gap-2 lc:px-3 lc:pt-2">
      <blockquote className="lc:min-w-0 lc:grow lc:rounded-md lc:border-s-4 lc:border-accent lc:bg-quote lc:px-3 lc:py-1.5">
        <span className="lc:sr-only">{t`Your answer to this message:`}</span>
        <span className="lc:block lc:truncate lc:text-xs lc:font-semibold" dir="auto">
          {author}
        </span>
        <span className="lc:block lc:truncate lc:text-soft" dir="auto">
          {replyTo.content ?? replyTo.media_caption ?? kinds[replyTo.message_type ?? ''] ?? t`Message`}
        </span>
      </blockquote>
      <IconButton label={t`Do not answer this message`} onClick={onCancel}>
        <X />
      </IconButton>
    </div>
  );
}
