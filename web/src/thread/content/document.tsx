/** A document: what kind, its name and size, and a button that fetches it. */
import { useLingui } from '@lingui/react/macro';
import { Download, File, FileArchive, FileSpreadsheet, FileText, Presentation } from 'lucide-react';
import type { Message } from '../../api/types';
import { useView } from '../view';
import { absenceOf, MediaState } from './media_state';

function iconOf(name: string, type: string) {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (['xls', 'xlsx', 'csv', 'ods', 'numbers'].includes(ending)) return FileSpreadsheet;
  if (['ppt', 'pptx', 'odp', 'key'].includes(ending)) return Presentation;
  if (['zip', 'rar', '7z', 'gz', 'tar'].includes(ending)) return FileArchive;
  if (['pdf', 'doc', 'docx', 'odt', 'txt', 'rtf', 'md'].includes(ending) || type.startsWith('text/')) return FileText;
  return File;
}

export function Document({ message }: { message: Message }) {
  const { t } = useLingui();
  const { format, download } = useView();
  const absence = absenceOf(message);
  if (absence) return <MediaState message={message} absence={absence} className="lc:w-64" />;
  const { filename, size, mime_type } = message.media ?? {};
  const name = filename || t`Document`;
  const Icon = iconOf(name, mime_type ?? '');
  const ending = /\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1]?.toUpperCase();
  return (
    <button
      type="button"
      className="lc:flex lc:w-72 lc:max-w-full lc:items-center lc:gap-3 lc:rounded-lg lc:bg-quote lc:p-2.5 lc:text-start lc:hover:bg-hover"
      onClick={() => download(message)}
    >
      <Icon aria-hidden className="lc:size-8 lc:shrink-0 lc:stroke-[1.5] lc:text-accent" />
      <span className="lc:flex lc:min-w-0 lc:grow lc:flex-col">
        <bdi className="lc:line-clamp-2 lc:font-medium lc:wrap-anywhere">{name}</bdi>
        <span className="lc:text-xs lc:text-soft">{[ending, size ? format.bytes(size) : null].filter(Boolean).join(' · ')}</span>
      </span>
      <Download role="img" aria-label={t`Download`} className="lc:size-5 lc:shrink-0 lc:text-soft" />
    </button>
  );
}
