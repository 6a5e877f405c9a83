/** All that is known of a message: when it reached whom, its ids, its price, why it failed. */
import { Trans, useLingui } from '@lingui/react/macro';
import type { ReactNode } from 'react';
import type { Message } from '../api/types';
import { Dialog } from '../ui/dialog';
import { failureWords } from './error_words';
import { objectOf, textOf } from './metadata';
import { useView } from './view';

export function InfoDialog({ message, onClose, onCloseFocus }: { message: Message; onClose: () => void; onCloseFocus: () => void }) {
  const { t, i18n } = useLingui();
  const { format } = useView();
  const isOwn = message.sender === 'user';
  const pricing = objectOf(message.pricing);
  const billable = pricing['billable'];
  const price = format.joined([textOf(pricing['category']), billable === true ? t`billed` : billable === false ? t`free` : undefined].filter((part) => part !== undefined));
  const { error } = message;
  return (
    <Dialog open onClose={onClose} onCloseFocus={onCloseFocus} title={t`Message details`}>
      <dl className="lc:grid lc:grid-cols-[auto_1fr] lc:gap-x-4 lc:gap-y-2">
        <Line name={isOwn ? <Trans>Written</Trans> : <Trans>Received</Trans>} at={message.timestamp} format={format.full} />
        {isOwn && <Line name={<Trans>Sent</Trans>} at={message.sent_at} format={format.full} />}
        {isOwn && <Line name={<Trans>Delivered</Trans>} at={message.delivered_at} format={format.full} />}
        {isOwn && <Line name={<Trans>Read</Trans>} at={message.read_at} format={format.full} />}
        <Line name={<Trans>Edited</Trans>} at={message.edited_at} format={format.full} />
        <Line name={<Trans>Deleted</Trans>} at={message.deleted_at} format={format.full} />
        {error && (
          <Row name={<Trans>Not sent</Trans>}>
            {i18n._(failureWords(error))}
            <span dir="auto" className="lc:block lc:text-xs lc:text-soft">
              {[error.code, error.title, error.details].filter((part) => part !== null && part !== undefined && part !== '').join(' · ')}
            </span>
          </Row>
        )}
        {message.media?.size && <Row name={<Trans>File</Trans>}>{[message.media.filename, message.media.mime_type, format.bytes(message.media.size)].filter(Boolean).join(' · ')}</Row>}
        {price && <Row name={<Trans>Price</Trans>}>{price}</Row>}
        {message.message_id && <Row name={<Trans>Our id</Trans>}><Id>{message.message_id}</Id></Row>}
        {message.wa_message_id && <Row name={<Trans>WhatsApp’s id</Trans>}><Id>{message.wa_message_id}</Id></Row>}
      </dl>
    </Dialog>
  );
}

function Line({ name, at, format }: { name: ReactNode; at: string | null | undefined; format: (at: string) => string }) {
  return at ? <Row name={name}>{format(at)}</Row> : null;
}

function Row({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt className="lc:text-soft">{name}</dt>
      <dd className="lc:min-w-0 lc:wrap-anywhere">{children}</dd>
    </>
  );
}

function Id({ children }: { children: string }) {
  return (
    <code dir="ltr" className="lc:font-mono lc:text-xs lc:select-all lc:break-all">
      {children}
    </code>
  );
}
