/** What a message holds, by its type. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Ban, CircleHelp, ExternalLink, Megaphone } from 'lucide-react';
import type { Message } from '../../api/types';
import { safeHref } from '../links';
import { adOf, listOf, objectOf, textOf } from '../metadata';
import { Audio } from './audio';
import { Contacts, Location, Order } from './cards';
import { Chosen, Interactive, Template } from './choices';
import { Document } from './document';
import { Text } from './text';
import { Picture, Sticker, Video } from './visual';

export function Content({ message, file, query }: { message: Message; file: Blob | null; query: string }) {
  if (message.deleted_at) {
    return (
      <p className="lc:flex lc:items-center lc:gap-1.5 lc:text-soft lc:italic">
        <Ban aria-hidden className="lc:size-4 lc:shrink-0" />
        {message.sender === 'customer' ? <Trans>The customer deleted this message</Trans> : <Trans>This message was deleted</Trans>}
      </p>
    );
  }
  const caption = message.media_caption;
  return (
    <>
      <Ad value={message.referral} />
      <Body message={message} file={file} query={query} />
      {caption && <div className="lc:px-1 lc:pt-1"><Text text={caption} query={query} /></div>}
    </>
  );
}

function Body({ message, file, query }: { message: Message; file: Blob | null; query: string }) {
  const metadata = objectOf(message.metadata);
  switch (message.message_type) {
    case 'image':
      return <Picture message={message} file={file} />;
    case 'video':
      return <Video message={message} file={file} />;
    case 'audio':
      return <Audio message={message} file={file} />;
    case 'document':
      return <Document message={message} />;
    case 'sticker':
      return <Sticker message={message} file={file} />;
    case 'location':
      return <Location value={metadata['location']} />;
    case 'contacts':
      return <Contacts value={metadata['contacts']} />;
    case 'order':
      return <Order message={message} />;
    case 'interactive':
      return <Interactive message={message} query={query} />;
    case 'template':
      return <Template message={message} query={query} />;
    case 'button':
      return <Chosen title={message.content ?? ''} query={query} />;
    default:
      return message.content ? <Text text={message.content} query={query} /> : <Unsupported metadata={metadata} />;
  }
}

/** The customer has to be asked, or their phone looked at: there is nothing here to show. */
function Unsupported({ metadata }: { metadata: Readonly<Record<string, unknown>> }) {
  const raw = objectOf(metadata['raw']);
  const error = listOf(metadata['errors'])[0] ?? {};
  const hint = textOf(objectOf(error['error_data'])['details']) ?? textOf(error['title']);
  const type = textOf(objectOf(raw['unsupported'])['type']) ?? textOf(raw['type']);
  return (
    <div className="lc:flex lc:max-w-72 lc:gap-2 lc:text-soft">
      <CircleHelp aria-hidden className="lc:mt-0.5 lc:size-4 lc:shrink-0" />
      <div>
        <p><Trans>WhatsApp does not pass on this kind of message. It can be seen on the phone only.</Trans></p>
        {(hint ?? type) && <p dir="auto" className="lc:text-xs">{[type !== 'unsupported' && type, hint].filter(Boolean).join(': ')}</p>}
      </div>
    </div>
  );
}

/** The ad that brought the customer here. */
function Ad({ value }: { value: unknown }) {
  const { t } = useLingui();
  const ad = adOf(value);
  if (!ad) return null;
  const href = safeHref(ad.url);
  return (
    <div className="lc:mb-1 lc:flex lc:w-72 lc:max-w-full lc:gap-2.5 lc:rounded-lg lc:bg-quote lc:p-2.5">
      <Megaphone aria-hidden className="lc:size-5 lc:shrink-0 lc:text-accent lc:rtl:-scale-x-100" />
      <div className="lc:min-w-0 lc:wrap-anywhere">
        <p className="lc:text-xs lc:text-soft">{t`From an ad`}</p>
        {ad.headline && <p dir="auto" className="lc:font-medium">{ad.headline}</p>}
        {ad.body && <p dir="auto" className="lc:line-clamp-3 lc:text-soft">{ad.body}</p>}
        {href && (
          <a href={href} target="_blank" rel="noopener noreferrer" className="lc:inline-flex lc:min-h-6 lc:items-center lc:gap-1 lc:text-link lc:hover:underline">
            <bdi dir="ltr">{new URL(href).host || href}</bdi>
            <ExternalLink aria-hidden className="lc:size-3.5 lc:shrink-0" />
          </a>
        )}
      </div>
    </div>
  );
}
