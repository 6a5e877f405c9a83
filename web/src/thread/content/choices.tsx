/** Messages with something to choose: what we sent, as the customer sees it, and what they chose. */
import { Plural, Trans } from '@lingui/react/macro';
import { ClipboardList, Copy, ExternalLink, List, MapPin, Phone, Reply } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Message } from '../../api/types';
import { safeHref } from '../links';
import { listOf, objectOf, textOf } from '../metadata';
import { FlowAnswer } from './cards';
import { Text } from './text';

function Parts({ header, body, footer, children, query }: { header: ReactNode; body: string | undefined; footer: string | undefined; children: ReactNode; query: string }) {
  return (
    <div className="lc:flex lc:w-72 lc:max-w-full lc:flex-col lc:gap-1">
      {header}
      {body !== undefined && <Text text={body} query={query} />}
      {footer !== undefined && <p dir="auto" className="lc:text-xs lc:text-soft lc:wrap-anywhere">{footer}</p>}
      {children}
    </div>
  );
}

/** Looks like what the customer presses; here there is nothing to press but links. */
function Choice({ icon, children, href }: { icon?: ReactNode; children: ReactNode; href?: string | undefined }) {
  const look = 'lc:flex lc:min-h-8 lc:items-center lc:justify-center lc:gap-1.5 lc:border-t lc:border-line lc:px-2 lc:pt-1 lc:text-center lc:font-medium lc:wrap-anywhere';
  if (href) {
    return (
      <a href={href} target="_blank" rel="noopener noreferrer" title={href} className={`${look} lc:text-link lc:hover:underline`}>
        {icon}
        {children}
      </a>
    );
  }
  return (
    <p className={look}>
      {icon}
      <bdi>{children}</bdi>
    </p>
  );
}

const ICON = 'lc:size-4 lc:shrink-0 lc:text-soft';

export function Interactive({ message, query }: { message: Message; query: string }) {
  const interactive = objectOf(objectOf(message.metadata)['interactive']);
  const type = textOf(interactive['type']) ?? '';
  if (type === 'button_reply' || type === 'list_reply') {
    const chosen = objectOf(interactive[type]);
    return <Chosen title={textOf(chosen['title']) ?? message.content ?? ''} description={textOf(chosen['description'])} query={query} />;
  }
  if (type === 'nfm_reply') return <FlowAnswer value={objectOf(interactive['nfm_reply'])['response']} content={message.content} />;
  const header = objectOf(interactive['header']);
  const headerText = textOf(header['text']);
  const action = objectOf(interactive['action']);
  const parameters = objectOf(action['parameters']);
  return (
    <Parts
      header={headerText ? <p dir="auto" className="lc:font-semibold lc:wrap-anywhere">{headerText}</p> : <HeaderFile header={header} />}
      body={textOf(objectOf(interactive['body'])['text']) ?? message.content ?? undefined}
      footer={textOf(objectOf(interactive['footer'])['text'])}
      query={query}
    >
      {listOf(action['buttons']).map((button, index) => {
        const reply = objectOf(button['reply']);
        return <Choice key={textOf(reply['id']) ?? index} icon={<Reply aria-hidden className={ICON} />}>{textOf(reply['title'])}</Choice>;
      })}
      {type === 'list' && <ListChoice label={textOf(action['button'])} sections={listOf(action['sections'])} />}
      {type === 'cta_url' && <Choice icon={<ExternalLink aria-hidden className={ICON} />} href={safeHref(parameters['url'])}>{textOf(parameters['display_text'])}</Choice>}
      {type === 'flow' && <Choice icon={<ClipboardList aria-hidden className={ICON} />}>{textOf(parameters['flow_cta'])}</Choice>}
      {type === 'location_request_message' && <Choice icon={<MapPin aria-hidden className={ICON} />}><Trans>Send location</Trans></Choice>}
    </Parts>
  );
}

function HeaderFile({ header }: { header: Readonly<Record<string, unknown>> }) {
  const type = textOf(header['type']);
  if (!type || type === 'text') return null;
  const link = safeHref(objectOf(header[type])['link']);
  const what = type === 'image' ? <Trans>Photo</Trans> : type === 'video' ? <Trans>Video</Trans> : <Trans>Document</Trans>;
  return (
    <p className="lc:rounded-md lc:bg-quote lc:px-2.5 lc:py-1.5 lc:text-soft">
      {link ? <a href={link} target="_blank" rel="noopener noreferrer" className="lc:text-link lc:hover:underline">{what}</a> : what}
    </p>
  );
}

function ListChoice({ label, sections }: { label: string | undefined; sections: readonly Readonly<Record<string, unknown>>[] }) {
  const rows = sections.reduce((sum, section) => sum + listOf(section['rows']).length, 0);
  return (
    <details className="lc:border-t lc:border-line lc:pt-1">
      <summary className="lc:flex lc:min-h-8 lc:items-center lc:justify-center lc:gap-1.5 lc:rounded-md lc:font-medium lc:hover:bg-hover">
        <List aria-hidden className={ICON} />
        <bdi>{label}</bdi>
        <span className="lc:text-xs lc:font-normal lc:text-soft">
          <Plural value={rows} one="(# choice)" other="(# choices)" />
        </span>
      </summary>
      {sections.map((section, index) => (
        <div key={`${index} ${textOf(section['title']) ?? ''}`} className="lc:px-1 lc:pt-1">
          {textOf(section['title']) && <p dir="auto" className="lc:text-xs lc:font-semibold lc:text-soft">{textOf(section['title'])}</p>}
          <ul>
            {listOf(section['rows']).map((row, at) => (
              <li key={textOf(row['id']) ?? at} dir="auto" className="lc:py-1 lc:wrap-anywhere">
                {textOf(row['title'])}
                {textOf(row['description']) && <span className="lc:block lc:text-xs lc:text-soft">{textOf(row['description'])}</span>}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </details>
  );
}

/** What the customer chose of a message of ours, which stands as its quote above. */
export function Chosen({ title, description, query }: { title: string; description?: string | undefined; query: string }) {
  return (
    <div className="lc:flex lc:flex-col">
      <p className="lc:flex lc:items-center lc:gap-1 lc:text-xs lc:text-soft">
        <Reply aria-hidden className="lc:size-3.5 lc:rtl:-scale-x-100" />
        <Trans>Chosen</Trans>
      </p>
      <Text text={title} query={query} />
      {description && <p dir="auto" className="lc:text-xs lc:text-soft lc:wrap-anywhere">{description}</p>}
    </div>
  );
}

const TEMPLATE_ICONS: Readonly<Record<string, ReactNode>> = {
  URL: <ExternalLink aria-hidden className={ICON} />,
  PHONE_NUMBER: <Phone aria-hidden className={ICON} />,
  COPY_CODE: <Copy aria-hidden className={ICON} />,
  FLOW: <ClipboardList aria-hidden className={ICON} />,
};

export function Template({ message, query }: { message: Message; query: string }) {
  const template = objectOf(objectOf(message.metadata)['template']);
  const rendered = objectOf(template['rendered']);
  const header = objectOf(rendered['header']);
  const headerText = textOf(header['text']);
  const format = textOf(header['format'])?.toLowerCase();
  const parameter = listOf(listOf(template['components']).find((component) => textOf(component['type'])?.toLowerCase() === 'header')?.['parameters'])[0] ?? {};
  // Without `rendered`, such as of one that is not sent yet, there are the words that the API gives it, or its name.
  const body = textOf(rendered['body']) ?? message.content ?? textOf(template['name']);
  return (
    <Parts
      header={headerText ? <p dir="auto" className="lc:font-semibold lc:wrap-anywhere">{headerText}</p> : format && format !== 'text' && format !== 'location' ? <HeaderFile header={{ ...parameter, type: format }} /> : null}
      body={body}
      footer={textOf(rendered['footer'])}
      query={query}
    >
      {listOf(rendered['buttons']).map((button, index) => {
        const type = textOf(button['type']) ?? '';
        const phone = textOf(button['phone_number']);
        return (
          <Choice key={`${index} ${type}`} icon={TEMPLATE_ICONS[type] ?? <Reply aria-hidden className={ICON} />} href={type === 'URL' ? safeHref(button['url']) : phone ? `tel:${phone.replace(/[^\d+]/g, '')}` : undefined}>
            {textOf(button['text']) ?? textOf(button['code']) ?? type}
          </Choice>
        );
      })}
    </Parts>
  );
}
