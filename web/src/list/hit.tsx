/** One message that was found. */
import { useLingui } from '@lingui/react/macro';
import { memo } from 'react';
import type { Conversation, Message } from '../api/types';
import { useFormat } from '../i18n/format';
import { Avatar, nameOf } from '../ui/avatar';
import { oneLine } from './preview_of';

export const HIT_HEIGHT = 76;

export const Hit = memo(function Hit({ message, conversation, now }: { message: Message; conversation: Conversation | undefined; now: number }) {
  const { t } = useLingui();
  const format = useFormat();
  const { snippet, timestamp } = message;
  return (
    <div role="gridcell" className="lc:flex lc:min-w-0 lc:grow lc:items-center lc:gap-3">
      {conversation && <Avatar conversation={conversation} className="lc:size-9! lc:text-sm!" />}
      <div className="lc:min-w-0 lc:grow">
        <div className="lc:flex lc:items-baseline lc:gap-2">
          <span className="lc:min-w-0 lc:grow lc:truncate lc:font-medium">
            <bdi>{conversation ? nameOf(conversation) : t`Conversation`}</bdi>
          </span>
          {timestamp && (
            <time dateTime={timestamp} title={format.full(timestamp)} className="lc:shrink-0 lc:text-xs lc:text-soft">
              {format.short(timestamp, now)}
            </time>
          )}
        </div>
        <p dir="auto" className="lc:line-clamp-2 lc:text-[13px] lc:leading-[18px] lc:wrap-anywhere lc:text-soft">
          {message.sender === 'user' && <span className="lc:font-medium">{t({ message: 'You:', comment: 'Before a message that the agent wrote' })} </span>}
          {snippet ? (
            <>
              {snippet.before}
              <mark className="lc:rounded-sm lc:bg-mark lc:text-text">{snippet.match}</mark>
              {snippet.after}
            </>
          ) : (
            oneLine(message.content ?? message.media_caption ?? '')
          )}
        </p>
      </div>
    </div>
  );
});
