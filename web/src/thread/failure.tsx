/** Why a message is not sent, and what can be done about it; how far an upload is. */
import { Trans, useLingui } from '@lingui/react/macro';
import { LayoutTemplate, RotateCw, Trash2, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Message } from '../api/types';
import type { OutboxItem } from '../store/outbox';
import { useUi } from '../ui/context';
import { failureWords, outboxWords, wantsTemplate } from './error_words';
import { keyOf } from './rows';
import { useDiscard, useSendAgain } from './send_again';

const ACTION = 'lc:inline-flex lc:min-h-7 lc:items-center lc:gap-1.5 lc:rounded-md lc:px-2 lc:font-semibold lc:text-text lc:hover:bg-hover';

export function Failure({ message, item }: { message: Message; item: OutboxItem | null }) {
  const { i18n } = useLingui();
  const ui = useUi();
  const sendAgain = useSendAgain();
  const discard = useDiscard();
  const error = item?.error ?? message.error;
  const words = i18n._(item?.error ? outboxWords(item.error) : failureWords(message.error));
  // An item's own words are the API's, about a field; a message's details are Meta's.
  const details = item?.error ? (item.error.code === 'invalid_field' ? item.error.message : null) : message.error?.details;
  return (
    <div className="lc:mt-1 lc:max-w-80 lc:rounded-lg lc:bg-danger-soft lc:px-2.5 lc:py-1.5 lc:text-xs">
      <p className="lc:text-danger">{words}</p>
      {details && details !== words && (
        <p dir="auto" className="lc:text-soft lc:wrap-anywhere">
          {details}
        </p>
      )}
      <div className="lc:-mx-2 lc:flex lc:flex-wrap">
        {error && wantsTemplate(error) ? (
          <Action icon={<LayoutTemplate aria-hidden />} onClick={() => ui.composer.current?.openTemplates()}>
            <Trans>Send a template</Trans>
          </Action>
        ) : (
          (item || message.message_id) && (
            <Action icon={<RotateCw aria-hidden />} onClick={() => sendAgain(keyOf(message))}>
              <Trans>Send again</Trans>
            </Action>
          )
        )}
        {item && (
          <Action icon={<Trash2 aria-hidden />} onClick={() => discard(item.messageId)}>
            <Trans>Discard</Trans>
          </Action>
        )}
      </div>
    </div>
  );
}

function Action({ icon, onClick, children }: { icon: ReactNode; onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={`${ACTION} lc:[&_svg]:size-3.5`} onClick={onClick}>
      {icon}
      {children}
    </button>
  );
}

export function Upload({ item }: { item: OutboxItem }) {
  const { t } = useLingui();
  const discard = useDiscard();
  const percent = Math.round(item.progress * 100);
  return (
    <div className="lc:mt-1 lc:flex lc:items-center lc:gap-2 lc:px-1">
      <div role="progressbar" aria-label={t`Uploading`} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} className="lc:h-1.5 lc:min-w-24 lc:grow lc:overflow-hidden lc:rounded-full lc:bg-quote">
        <div className="lc:h-full lc:rounded-full lc:bg-accent lc:transition-[width]" style={{ width: `${percent}%` }} />
      </div>
      <button type="button" aria-label={t`Cancel the upload`} className="lc:grid lc:size-6 lc:place-items-center lc:rounded-full lc:hover:bg-hover" onClick={() => discard(item.messageId)}>
        <X aria-hidden className="lc:size-4" />
      </button>
    </div>
  );
}
