/** One message: an article with its bubble. The same component draws what is not sent yet, so that nothing is made anew when it is. */
import { Trans, useLingui } from '@lingui/react/macro';
import { EllipsisVertical, Forward, Reply } from 'lucide-react';
import { memo, type MouseEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { Message } from '../api/types';
import type { OutboxItem } from '../store/outbox';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { Content } from './content/content';
import { Failure, Upload } from './failure';
import { objectOf } from './metadata';
import { Quote } from './quote';
import { Reactions } from './reactions';
import { timeOf } from './rows';
import { summaryOf } from './summary';
import { Ticks } from './ticks';
import { useView } from './view';

const LONG_PRESS_MS = 450;
const FLYING_BY_MS = 200;
/** On the colour of our own messages, and what is tinted in them, small text and links need more contrast than elsewhere. */
const OWN = 'lc:bg-own lc:[--wlc-soft:color-mix(in_srgb,var(--wlc-text)_75%,var(--wlc-own))]';

export const MessageRow = memo(function MessageRow({
  message,
  item,
  isLast,
  isMarked,
  query,
}: {
  message: Message;
  item: OutboxItem | null;
  /** Of those of one sender that stand together. */
  isLast: boolean;
  /** It was jumped to. */
  isMarked: boolean;
  query: string;
}) {
  const { i18n, t } = useLingui();
  const { customer, format, openMenu } = useView();
  const article = useRef<HTMLElement>(null);
  const press = useLongPress(() => article.current && openMenu(message, article.current));
  const isOwn = message.sender === 'user';
  const time = format.time(timeOf(message));
  const text = summaryOf(message, i18n);
  const who = isOwn ? t`You` : customer;
  const label = message.status === 'failed' ? t`${who}, ${time}, not sent: ${text}` : t`${who}, ${time}: ${text}`;
  // Its number, and whether the tab key reaches it, are the list's to write.
  const own = { 'aria-label': label, 'aria-setsize': -1 };

  if (message.message_type === 'system') {
    return (
      <article ref={article} {...own} className="lc:flex lc:justify-center lc:rounded-lg lc:px-4 lc:py-1.5">
        <p dir="auto" className={cn('lc:max-w-[85%] lc:rounded-lg lc:bg-surface lc:px-3 lc:py-1 lc:text-center lc:text-xs lc:text-soft lc:wrap-anywhere', isMarked && 'lc:bg-mark lc:text-text')}>
          {message.content ?? <Trans>WhatsApp changed something in this conversation.</Trans>} <span className="lc:whitespace-nowrap">{time}</span>
        </p>
      </article>
    );
  }

  const openOwnMenu = (event: MouseEvent<HTMLElement>) => {
    // The browser's own menu has more to say about links, pictures and chosen text.
    if (event.target instanceof Element && event.target.closest('a, video, input') !== null) return;
    if (getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    openMenu(message, event.currentTarget);
  };
  // Its time stands beside the last line where there is room.
  const isText = Boolean(message.deleted_at) || (message.message_type === 'text' && !message.referral);
  const isSticker = message.message_type === 'sticker' && !message.deleted_at;
  return (
    <article ref={article} {...own} onContextMenu={openOwnMenu} {...press} className={cn('lc:group lc:rounded-lg lc:px-3 lc:@min-[600px]:px-6', isLast ? 'lc:pb-3' : 'lc:pb-0.5')}>
      <div className={cn('lc:relative lc:flex lc:flex-col', isOwn ? 'lc:items-end' : 'lc:items-start')}>
        <div className={cn('lc:flex lc:max-w-full lc:items-center lc:gap-1 lc:pointer-coarse:max-w-[92%]', isOwn && 'lc:flex-row-reverse')}>
          <div
            className={cn(
              'lc:relative lc:max-w-xl lc:min-w-0 lc:rounded-2xl lc:px-2.5 lc:py-1.5 lc:transition-shadow lc:duration-300',
              isSticker ? 'lc:px-0' : isOwn ? OWN : 'lc:bg-other',
              isLast && !isSticker && (isOwn ? 'lc:rounded-ee-sm' : 'lc:rounded-es-sm'),
              isMarked && 'lc:ring-3 lc:ring-accent',
            )}
          >
            <Forwarded metadata={message.metadata} />
            {message.reply_to && <Quote replyTo={message.reply_to} />}
            <div className={isText ? 'lc:flex lc:flex-wrap lc:items-end lc:justify-end lc:gap-x-2' : ''}>
              <div className="lc:min-w-0 lc:grow">
                <Content message={message} file={item?.file?.file ?? null} query={query} />
              </div>
              {item?.state === 'uploading' && <Upload item={item} />}
              <p className="lc:-mb-0.5 lc:flex lc:shrink-0 lc:items-center lc:justify-end lc:gap-1 lc:text-[11px]/4 lc:text-soft">
                {message.edited_at && !message.deleted_at && <Trans>Edited</Trans>}
                <time dateTime={message.timestamp ?? undefined} title={format.full(timeOf(message))}>
                  {time}
                </time>
                {isOwn && <Ticks status={message.status} />}
              </p>
            </div>
          </div>
          {message.id !== 0 && <Tools message={message} article={article} />}
        </div>
        <Reactions message={message} />
        {message.status === 'failed' && <Failure message={message} item={item} />}
      </div>
    </article>
  );
});

/**
 * Shown where a mouse points, and where the focus is; by touch there is the long press. They are out of the order of tabs: Enter opens the menu.
 * Rows that only fly by while one scrolls do without, but for the room: half of what there is to draw of a short message is this.
 */
function Tools({ message, article }: { message: Message; article: { current: HTMLElement | null } }) {
  const { t } = useLingui();
  const { components } = useUi();
  const { openMenu, reply } = useView();
  const canReply = Boolean(message.wa_message_id && !message.deleted_at);
  const [isDrawn, setDrawn] = useState(components.MessageActions !== undefined);
  useEffect(() => {
    if (isDrawn) return undefined;
    const timer = setTimeout(() => setDrawn(true), FLYING_BY_MS);
    return () => clearTimeout(timer);
  }, [isDrawn]);
  if (!isDrawn) return <div className={cn('lc:shrink-0 lc:pointer-coarse:hidden', canReply ? 'lc:w-16' : 'lc:w-8')} />;
  const look = 'lc:grid lc:size-8 lc:place-items-center lc:rounded-full lc:text-soft lc:hover:bg-hover lc:hover:text-text';
  return (
    <div className="lc:flex lc:shrink-0 lc:opacity-0 lc:transition-opacity lc:group-focus-within:opacity-100 lc:group-hover:opacity-100 lc:pointer-coarse:hidden">
      {canReply && (
        <button type="button" tabIndex={-1} aria-label={t`Reply`} title={t`Reply`} className={look} onClick={() => reply(message)}>
          <Reply aria-hidden className="lc:size-4.5 lc:rtl:-scale-x-100" />
        </button>
      )}
      {components.MessageActions && <components.MessageActions message={message} />}
      <button type="button" tabIndex={-1} aria-haspopup="menu" aria-label={t`More about this message`} title={t`More`} className={look} onClick={() => article.current && openMenu(message, article.current)}>
        <EllipsisVertical aria-hidden className="lc:size-4.5" />
      </button>
    </div>
  );
}

function Forwarded({ metadata }: { metadata: unknown }) {
  const { forwarded, frequently_forwarded } = objectOf(metadata);
  if (forwarded !== true && frequently_forwarded !== true) return null;
  return (
    <p className="lc:flex lc:items-center lc:gap-1 lc:text-xs lc:text-soft lc:italic">
      <Forward aria-hidden className="lc:size-3.5 lc:rtl:-scale-x-100" />
      {frequently_forwarded === true ? <Trans>Forwarded many times</Trans> : <Trans>Forwarded</Trans>}
    </p>
  );
}

/** A finger that stays. iOS knows no context menu of its own; where there is one, it comes first. */
function useLongPress(run: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const end = () => clearTimeout(timer.current);
  return {
    onPointerDown: (event: PointerEvent) => {
      end();
      if (event.pointerType === 'touch') timer.current = setTimeout(run, LONG_PRESS_MS);
    },
    onPointerUp: end,
    onPointerCancel: end,
    onPointerMove: (event: PointerEvent) => {
      if (Math.hypot(event.movementX, event.movementY) > 4) end();
    },
  };
}
