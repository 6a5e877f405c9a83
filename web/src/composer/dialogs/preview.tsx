/** A message as the customer is going to see it. */
import { useLingui } from '@lingui/react/macro';
import { ExternalLink, FileText, Image, List, MapPin, Phone, Reply, Video } from 'lucide-react';
import type { ReactNode } from 'react';
import type { MediaKind } from '../templates/parameters';

export interface PreviewButton {
  readonly icon: 'reply' | 'link' | 'list' | 'phone' | 'none';
  readonly text: string;
}

/** Of the list that a button opens: a row, or the title of a section. */
export interface PreviewRow {
  readonly key: string;
  readonly title: string;
  readonly description?: string;
  readonly isSection?: boolean;
}

const ICONS = { reply: Reply, link: ExternalLink, list: List, phone: Phone, none: null };

export function MessagePreview({
  media,
  header,
  body,
  footer,
  buttons = [],
  rows = [],
}: {
  media?: { readonly kind: MediaKind | 'location'; readonly url?: string | undefined; readonly name?: string | undefined } | undefined;
  header?: string | null;
  body: ReactNode;
  footer?: string | null;
  buttons?: readonly PreviewButton[];
  rows?: readonly PreviewRow[];
}) {
  const { t } = useLingui();
  return (
    <div className="lc:flex lc:flex-col lc:gap-1">
      <div className="lc:flex lc:flex-col lc:gap-1 lc:rounded-xl lc:rounded-se-sm lc:bg-own lc:p-2">
        {media && <MediaPreview {...media} />}
        {header && (
          <p dir="auto" className="lc:px-1 lc:font-semibold lc:break-words">
            {header}
          </p>
        )}
        <div dir="auto" className="lc:px-1 lc:break-words lc:whitespace-pre-wrap">
          {body || <span className="lc:text-soft">{t`Nothing written yet`}</span>}
        </div>
        {footer && (
          <p dir="auto" className="lc:px-1 lc:text-xs lc:break-words lc:text-soft">
            {footer}
          </p>
        )}
      </div>
      {buttons.map(({ icon, text }, index) => {
        const Icon = ICONS[icon];
        return (
          <div
            // Buttons may say the same while they are being written.
            key={`button ${index}`}
            className="lc:flex lc:min-h-9 lc:items-center lc:justify-center lc:gap-2 lc:rounded-xl lc:bg-own lc:px-3 lc:text-link"
          >
            {Icon && <Icon aria-hidden className="lc:size-4 lc:shrink-0" />}
            <span dir="auto" className="lc:min-w-0 lc:truncate">
              {text || '…'}
            </span>
          </div>
        );
      })}
      {rows.length > 0 && (
        <ul className="lc:mt-1 lc:flex lc:flex-col lc:gap-1.5 lc:rounded-xl lc:bg-surface lc:px-3 lc:py-2">
          {rows.map(({ key, title, description, isSection }) => (
            <li key={key} dir="auto" className="lc:min-w-0 lc:break-words">
              <span className={isSection ? 'lc:text-xs lc:font-semibold lc:text-soft' : undefined}>{title}</span>
              {description && <span className="lc:block lc:text-xs lc:text-soft">{description}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function MediaPreview({ kind, url, name }: { kind: MediaKind | 'location'; url?: string | undefined; name?: string | undefined }) {
  if (url && kind === 'image') return <img src={url} alt="" className="lc:max-h-48 lc:w-full lc:rounded-lg lc:object-cover" />;
  if (url && kind === 'video') return <video src={url} muted playsInline preload="metadata" className="lc:max-h-48 lc:w-full lc:rounded-lg lc:object-cover" />;
  const Icon = { image: Image, video: Video, document: FileText, location: MapPin }[kind];
  return (
    <div className="lc:flex lc:min-h-16 lc:items-center lc:justify-center lc:gap-2 lc:rounded-lg lc:bg-quote lc:p-3 lc:text-soft">
      <Icon aria-hidden className="lc:size-6 lc:shrink-0" />
      {name && (
        <span dir="auto" className="lc:min-w-0 lc:truncate">
          {name}
        </span>
      )}
    </div>
  );
}
