/** The contact panel: beside the thread where there is room, over it where there is not. */
import { useLingui } from '@lingui/react/macro';
import { Archive, ArchiveRestore, AtSign, BellOff, CalendarDays, Fingerprint, Hourglass, Lock, Mail, MailOpen, Phone, PhoneOff, Smartphone, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Conversation } from '../api/types';
import { useThread } from '../hooks/thread';
import { useFormat } from '../i18n/format';
import { useNow } from '../list/now';
import { useNumberLabels } from '../list/numbers';
import { useChanges } from '../list/use_changes';
import { time } from '../store/fold';
import { Avatar } from '../ui/avatar';
import { Button, IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { Copy } from './copy';
import { Fact } from './fact';
import { Files } from './files';
import { Name } from './name';
import { Referral } from './referral';
import { referralOf } from './referral_of';

/** From this width of the whole component on it stands beside the thread, as in the classes below. */
const BESIDE_PX = 1080;

export function Panel({ conversation, onClose: close }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useLingui();
  const format = useFormat();
  const now = useNow();
  const labels = useNumberLabels();
  const change = useChanges();
  const thread = useThread(conversation.id);
  const panel = useRef<HTMLDivElement>(null);
  const isOver = useIsOver(panel);
  useFocusBack(panel, isOver);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else if (event.key === 'Tab' && isOver) keepInside(event, panel.current);
  };
  const windowLeft = time(conversation.window_expires_at) - now;
  const left = format.left(windowLeft);
  const closedAt = conversation.window_expires_at ? format.full(conversation.window_expires_at) : '';
  const referral = referralOf(thread.messages);
  const number = labels.size > 1 ? labels.get(conversation.phone_number_id ?? '') : undefined;
  const optedOut = conversation.marketing_opted_out_at;
  return (
    <div
      ref={panel}
      role={isOver ? 'dialog' : 'complementary'}
      aria-modal={isOver || undefined}
      aria-label={t`Contact`}
      onKeyDown={onKeyDown}
      className="lc:absolute lc:inset-y-0 lc:end-0 lc:z-20 lc:flex lc:w-full lc:max-w-sm lc:flex-col lc:border-line lc:bg-surface lc:shadow-raised lc:@max-[500px]:max-w-none lc:@min-[500px]:border-s lc:@min-[1080px]:static lc:@min-[1080px]:w-80 lc:@min-[1080px]:shrink-0 lc:@min-[1080px]:shadow-none"
    >
      <header className="lc:flex lc:min-h-14 lc:items-center lc:border-b lc:border-line lc:ps-4 lc:pe-2">
        <h2 className="lc:grow lc:text-base lc:font-semibold">{t`Contact`}</h2>
        <IconButton label={t`Close`} hint={null} data-close="" onClick={close}>
          <X />
        </IconButton>
      </header>
      <div className="lc:min-h-0 lc:grow lc:overflow-y-auto lc:overscroll-contain lc:pb-6">
        <div className="lc:flex lc:flex-col lc:items-center lc:gap-3 lc:px-4 lc:pt-6 lc:pb-4">
          <Avatar conversation={conversation} className="lc:size-20! lc:text-3xl!" />
          <Name conversation={conversation} />
        </div>
        <dl className="lc:flex lc:flex-col lc:gap-3 lc:px-4 lc:pb-4">
          {conversation.customer_phone ? (
            <Fact icon={<Phone />} label={t`Phone number`} action={<Copy value={conversation.customer_phone} label={t`Copy the phone number`} />}>
              <bdi dir="ltr">{conversation.customer_phone}</bdi>
            </Fact>
          ) : (
            <Fact icon={<PhoneOff />} label={t`Phone number`}>
              <span className="lc:text-soft">{t`Hidden by the customer`}</span>
            </Fact>
          )}
          {conversation.customer_username && (
            <Fact icon={<AtSign />} label={t`Username`} action={<Copy value={conversation.customer_username} label={t`Copy the username`} />}>
              <bdi dir="ltr">{`@${conversation.customer_username}`}</bdi>
            </Fact>
          )}
          <Fact icon={windowLeft > 0 ? <Hourglass /> : <Lock />} label={t`Customer service window`}>
            {windowLeft > 0 ? t`Open for ${left}` : conversation.window_expires_at ? t`Closed since ${closedAt}` : t`Not open yet: the customer has not written`}
          </Fact>
          {optedOut && (
            <Fact icon={<BellOff />} label={t`Marketing messages`}>
              <span className="lc:text-warning">{t`Not wanted since ${format.full(optedOut)}`}</span>
            </Fact>
          )}
          {conversation.created_at && (
            <Fact icon={<CalendarDays />} label={t`First seen`}>
              <time dateTime={conversation.created_at} title={format.full(conversation.created_at)}>
                {format.day(conversation.created_at, now)}
              </time>
            </Fact>
          )}
          {number && (
            <Fact icon={<Smartphone />} label={t`Writes to`}>
              <bdi>{number}</bdi>
            </Fact>
          )}
          {conversation.customer_user_id && (
            <Fact icon={<Fingerprint />} label={t`Customer's WhatsApp ID`} action={<Copy value={conversation.customer_user_id} label={t`Copy the customer's WhatsApp ID`} />}>
              <bdi dir="ltr" className="lc:wrap-anywhere">
                {conversation.customer_user_id}
              </bdi>
            </Fact>
          )}
        </dl>
        {referral && <Referral referral={referral} />}
        <Files thread={thread} conversationId={conversation.id} onJump={() => isOver && close()} />
        <div className="lc:flex lc:flex-col lc:gap-1 lc:border-t lc:border-line lc:px-2 lc:pt-3">
          {conversation.unread_count > 0 ? (
            <Action icon={<MailOpen />} onClick={() => void change('read', [conversation])}>{t`Mark as read`}</Action>
          ) : (
            <Action icon={<Mail />} onClick={() => void change('unread', [conversation])}>{t`Mark as unread`}</Action>
          )}
          {conversation.status === 'archived' ? (
            <Action icon={<ArchiveRestore />} onClick={() => void change('activate', [conversation])}>{t`Back to the inbox`}</Action>
          ) : (
            <Action icon={<Archive />} onClick={() => void change('archive', [conversation])}>{t`Archive`}</Action>
          )}
        </div>
      </div>
    </div>
  );
}

function Action({ icon, onClick, children }: { icon: React.ReactNode; onClick: () => void; children: React.ReactNode }) {
  return (
    <Button className={cn('lc:w-full lc:justify-start lc:font-normal lc:[&_svg]:size-5 lc:[&_svg]:text-soft')} onClick={onClick}>
      <span aria-hidden className="lc:contents">
        {icon}
      </span>
      {children}
    </Button>
  );
}

/** Whether it covers the thread. */
function useIsOver(panel: { current: HTMLElement | null }): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const root = panel.current?.closest('.wlc');
    if (!root) return;
    const measure = () => setIsOver(root.clientWidth < BESIDE_PX);
    const observer = new ResizeObserver(measure);
    observer.observe(root);
    measure();
    return () => observer.disconnect();
  }, [panel]);
  return isOver;
}

/** It takes the focus where it covers what had it, and gives it back when it goes. */
function useFocusBack(panel: { current: HTMLElement | null }, isOver: boolean): void {
  const from = useRef<Element | null>(null);
  useEffect(() => {
    const element = panel.current;
    from.current ??= document.activeElement;
    if (isOver && element && !element.contains(document.activeElement)) element.querySelector<HTMLElement>('[data-close]')?.focus();
  }, [panel, isOver]);
  useEffect(() => {
    const element = panel.current;
    return () => {
      // As it is taken out, the focus is still within, or has just been lost.
      const hasFocus = !document.activeElement || document.activeElement === document.body || element?.contains(document.activeElement);
      if (hasFocus && from.current instanceof HTMLElement && from.current.isConnected) from.current.focus();
    };
  }, [panel]);
}

/** The Tab key goes round within what covers everything else. */
function keepInside(event: KeyboardEvent, panel: HTMLElement | null): void {
  const stops = [...(panel?.querySelectorAll<HTMLElement>('button:not(:disabled), a[href], input, [tabindex="0"]') ?? [])];
  const [first, last] = [stops[0], stops.at(-1)];
  if (document.activeElement === (event.shiftKey ? first : last)) {
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }
}
