/** What is neither text nor file: a place, contact cards, an order, a form's answers. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { Copy, ExternalLink, Mail, MapPin, Phone, ShoppingBag, UserRound } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Message } from '../../api/types';
import { useCopy } from '../../ui/use_copy';
import { answersOf, cardsOf, moneyOf, objectOf, orderLinesOf, placeOf } from '../metadata';
import { useView } from '../view';

const LINK = 'lc:inline-flex lc:self-start lc:min-h-8 lc:items-center lc:gap-1.5 lc:font-medium lc:text-link lc:hover:underline';

export function Location({ value }: { value: unknown }) {
  const { format } = useView();
  const place = placeOf(value);
  if (!place) return <p className="lc:text-soft lc:italic"><Trans>A location that cannot be read</Trans></p>;
  const at = `${place.latitude.toFixed(5)}, ${place.longitude.toFixed(5)}`;
  return (
    <div className="lc:flex lc:w-72 lc:max-w-full lc:gap-3 lc:rounded-lg lc:bg-quote lc:p-2.5">
      <MapPin aria-hidden className="lc:size-8 lc:shrink-0 lc:stroke-[1.5] lc:text-accent" />
      <div className="lc:flex lc:min-w-0 lc:flex-col lc:wrap-anywhere">
        <p dir="auto" className="lc:font-medium">{place.name ?? <Trans>Location</Trans>}</p>
        {place.address && <p dir="auto" className="lc:text-soft">{place.address}</p>}
        <p dir="ltr" title={format.number(place.latitude)} className="lc:text-start lc:text-xs lc:text-soft lc:tabular-nums">{at}</p>
        <a href={`https://www.google.com/maps/search/?api=1&query=${place.latitude},${place.longitude}`} target="_blank" rel="noopener noreferrer" className={LINK}>
          <Trans>Open in maps</Trans>
          <ExternalLink aria-hidden className="lc:size-3.5" />
        </a>
      </div>
    </div>
  );
}

export function Contacts({ value }: { value: unknown }) {
  const { t } = useLingui();
  const copy = useCopy();
  const line = (text: string, href: string, icon: ReactNode) => (
    <li key={href} className="lc:flex lc:items-center lc:gap-1">
      <a href={href} className="lc:flex lc:min-h-8 lc:min-w-0 lc:grow lc:items-center lc:gap-2 lc:text-link lc:wrap-anywhere lc:hover:underline">
        {icon}
        <bdi dir="ltr">{text}</bdi>
      </a>
      <button type="button" aria-label={t`Copy ${text}`} className="lc:grid lc:size-8 lc:shrink-0 lc:place-items-center lc:rounded-lg lc:text-soft lc:hover:bg-hover" onClick={() => copy(text)}>
        <Copy aria-hidden className="lc:size-4" />
      </button>
    </li>
  );
  return (
    <ul className="lc:flex lc:w-72 lc:max-w-full lc:flex-col lc:gap-1.5">
      {cardsOf(value).map((card, index) => (
        <li key={`${index} ${card.name}`} className="lc:rounded-lg lc:bg-quote lc:p-2.5">
          <div className="lc:flex lc:items-center lc:gap-2.5">
            <span className="lc:grid lc:size-9 lc:shrink-0 lc:place-items-center lc:rounded-full lc:bg-quote"><UserRound aria-hidden className="lc:size-5 lc:text-soft" /></span>
            <div className="lc:min-w-0 lc:wrap-anywhere">
              <p dir="auto" className="lc:font-medium">{card.name || <Trans>No name</Trans>}</p>
              {card.company && <p dir="auto" className="lc:text-xs lc:text-soft">{card.company}</p>}
            </div>
          </div>
          <ul className="lc:mt-1">
            {card.phones.map((phone) => line(phone, `tel:${phone.replace(/[^\d+]/g, '')}`, <Phone aria-hidden className="lc:size-4 lc:shrink-0" />))}
            {card.emails.map((email) => line(email, `mailto:${encodeURIComponent(email).replace('%40', '@')}`, <Mail aria-hidden className="lc:size-4 lc:shrink-0" />))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

export function Order({ message }: { message: Message }) {
  const { locale, format } = useView();
  const order = objectOf(message.metadata)['order'];
  const lines = orderLinesOf(order);
  const currency = lines[0]?.currency;
  const isOneSum = lines.every((line) => line.currency === currency && line.price !== undefined);
  const count = lines.reduce((sum, line) => sum + line.quantity, 0);
  const note = objectOf(order)['text'];
  return (
    <div className="lc:flex lc:w-72 lc:max-w-full lc:flex-col lc:gap-2">
      <div className="lc:rounded-lg lc:bg-quote lc:p-2.5">
        <p className="lc:mb-1.5 lc:flex lc:items-center lc:gap-2 lc:font-medium">
          <ShoppingBag aria-hidden className="lc:size-5 lc:text-accent" />
          <Plural value={count} one="Order of # item" other="Order of # items" />
        </p>
        <table className="lc:w-full lc:border-collapse">
          <tbody>
            {lines.map((line, index) => (
              <tr key={`${index} ${line.product}`} className="lc:align-top">
                <td className="lc:py-0.5 lc:pe-2 lc:whitespace-nowrap lc:text-soft lc:tabular-nums">{format.number(line.quantity)} ×</td>
                <td className="lc:w-full lc:py-0.5 lc:pe-2 lc:wrap-anywhere"><bdi>{line.product}</bdi></td>
                <td className="lc:py-0.5 lc:text-end lc:whitespace-nowrap lc:tabular-nums">{line.price !== undefined && moneyOf(line.price * line.quantity, line.currency, locale)}</td>
              </tr>
            ))}
          </tbody>
          {isOneSum && lines.length > 1 && (
            <tfoot>
              <tr className="lc:border-t lc:border-line lc:font-semibold">
                <td colSpan={2} className="lc:pt-1"><Trans>Total</Trans></td>
                <td className="lc:pt-1 lc:text-end lc:whitespace-nowrap lc:tabular-nums">{moneyOf(lines.reduce((sum, line) => sum + (line.price ?? 0) * line.quantity, 0), currency, locale)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      </div>
      {typeof note === 'string' && note !== '' && <p dir="auto" className="lc:wrap-anywhere lc:whitespace-pre-wrap">{note}</p>}
    </div>
  );
}

export function FlowAnswer({ value, content }: { value: unknown; content: string | null | undefined }) {
  const answers = answersOf(value);
  return (
    <div className="lc:w-72 lc:max-w-full">
      <p className="lc:font-medium"><Trans>Answers to a form</Trans></p>
      {content && <p dir="auto" className="lc:text-soft lc:wrap-anywhere">{content}</p>}
      <dl className="lc:mt-1.5 lc:grid lc:grid-cols-[auto_1fr] lc:gap-x-3 lc:gap-y-1 lc:rounded-lg lc:bg-quote lc:p-2.5">
        {answers.map(({ name, value }) => (
          <div key={name} className="lc:contents">
            <dt dir="auto" className="lc:text-soft lc:first-letter:uppercase">{name}</dt>
            <dd dir="auto" className="lc:wrap-anywhere">{value}</dd>
          </div>
        ))}
        {answers.length === 0 && <dt className="lc:text-soft"><Trans>No answers</Trans></dt>}
      </dl>
    </div>
  );
}
