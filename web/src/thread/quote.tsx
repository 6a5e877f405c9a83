/** The message that another one answers, in short; a press shows it. */
import { Trans, useLingui } from '@lingui/react/macro';
import type { ReplyTo } from '../api/types';
import { summaryOf } from './summary';
import { useView } from './view';

export function Quote({ replyTo }: { replyTo: ReplyTo }) {
  const { i18n, t } = useLingui();
  const { jumpTo, customer } = useView();
  const target = replyTo.message_id ?? replyTo.wa_message_id;
  const isKnown = replyTo.message_type !== null && replyTo.message_type !== undefined;
  const look = 'lc:mb-1 lc:flex lc:w-full lc:min-w-40 lc:flex-col lc:rounded-lg lc:border-s-3 lc:border-accent lc:bg-quote lc:px-2.5 lc:py-1 lc:text-start lc:text-xs';
  if (!isKnown || !target) {
    return (
      <div className={look}>
        <span className="lc:text-soft lc:italic">
          <Trans>An earlier message that is not here</Trans>
        </span>
      </div>
    );
  }
  const who = replyTo.sender === 'customer' ? customer : t`You`;
  const text = summaryOf({ message_type: replyTo.message_type ?? null, content: replyTo.content ?? null }, i18n);
  return (
    <button type="button" className={`${look} lc:hover:bg-hover`} onClick={() => jumpTo(target)}>
      <bdi className="lc:max-w-full lc:truncate lc:font-semibold">{who}</bdi>
      <span dir="auto" className="lc:line-clamp-2 lc:w-full lc:text-soft lc:wrap-anywhere">
        {text}
      </span>
      <span className="lc:sr-only">{t`Show this message`}</span>
    </button>
  );
}
