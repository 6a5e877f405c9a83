/** The files of a draft, above the text: what they look like, how large they are, and what can be done with them. */
import { useLingui } from '@lingui/react/macro';
import { File as FileIcon, FileAudio, FileText, Image, MoreVertical, Sticker, Trash2, Video, X } from 'lucide-react';
import { memo } from 'react';
import { useFormat } from '../../i18n/format';
import type { DraftFile } from '../../store/drafts';
import { IconButton } from '../../ui/button';
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu';
import { Spinner } from '../../ui/spinner';
import { LIMITS } from '../limits';
import { takesCaption } from '../outgoing';
import { VoicePreview } from '../voice/preview';
import { useObjectUrl } from './object_url';
import { otherWays, sendAs } from './prepare';

export const FileCards = memo(function FileCards({
  files,
  preparing,
  onChange,
}: {
  files: readonly DraftFile[];
  /** How many more are being looked at. */
  preparing: number;
  onChange: (files: readonly DraftFile[]) => void;
}) {
  const { t } = useLingui();
  if (files.length === 0 && preparing === 0) return null;
  return (
    <ul aria-label={t`Files to send`} className="lc:flex lc:items-start lc:gap-2 lc:overflow-x-auto lc:px-3 lc:pt-2.5">
      {files.map((file, index) => (
        <FileCard
          key={file.id}
          file={file}
          hasCaption={index > 0 && takesCaption(file.kind)}
          onChange={(next) => onChange(files.map((other) => (other.id === file.id ? next : other)))}
          onRemove={() => onChange(files.filter(({ id }) => id !== file.id))}
        />
      ))}
      {preparing > 0 && (
        <li className="lc:grid lc:h-24 lc:w-24 lc:shrink-0 lc:place-items-center lc:rounded-lg lc:border lc:border-line">
          <Spinner label={t`Preparing files`} />
        </li>
      )}
    </ul>
  );
});

function FileCard({
  file,
  hasCaption,
  onChange,
  onRemove,
}: {
  file: DraftFile;
  hasCaption: boolean;
  onChange: (file: DraftFile) => void;
  onRemove: () => void;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const name = file.name;
  if (file.kind === 'audio' && file.peaks) {
    return (
      <li className="lc:flex lc:w-full lc:max-w-md lc:items-center lc:gap-1 lc:rounded-lg lc:border lc:border-line lc:p-1">
        <VoicePreview file={file} />
        <IconButton label={t`Delete the recording`} onClick={onRemove}>
          <Trash2 />
        </IconButton>
      </li>
    );
  }
  const ways = otherWays(file);
  const labels = {
    own: file.own?.kind === 'video' ? t`Send as a video` : file.own?.kind === 'audio' ? t`Send as audio` : t`Send as a photo`,
    document: t`Send as a document`,
    sticker: t`Send as a sticker`,
  };
  return (
    <li className="lc:flex lc:w-60 lc:shrink-0 lc:flex-col lc:gap-1.5 lc:rounded-lg lc:border lc:border-line lc:p-1.5">
      <div className="lc:flex lc:items-center lc:gap-2">
        <Thumb file={file} />
        <span className="lc:min-w-0 lc:grow">
          <span className="lc:block lc:truncate lc:font-medium" title={name} dir="auto">
            {name}
          </span>
          <span className="lc:block lc:truncate lc:text-xs lc:text-soft">
            {format.bytes(file.uploaded?.size ?? file.file.size)}
            {file.kind === 'document' && /^(image|video|audio)\//.test(file.file.type) ? ` · ${t`As a document`}` : file.kind === 'sticker' ? ` · ${t`Sticker`}` : null}
          </span>
        </span>
        {ways.length > 0 ? (
          <Menu
            trigger={
              <IconButton label={t`More for ${name}`} hint={null}>
                <MoreVertical />
              </IconButton>
            }
          >
            {ways.map((way) => (
              <MenuItem key={way} icon={way === 'document' ? <FileText /> : way === 'sticker' ? <Sticker /> : <Image />} onSelect={() => onChange(sendAs(file, way))}>
                {labels[way]}
              </MenuItem>
            ))}
            <MenuSeparator />
            <MenuItem icon={<Trash2 />} tone="danger" onSelect={onRemove}>
              {t`Remove`}
            </MenuItem>
          </Menu>
        ) : null}
        <IconButton label={t`Remove ${name}`} onClick={onRemove} className="lc:-ms-2">
          <X />
        </IconButton>
      </div>
      {hasCaption && (
        <input
          aria-label={t`Caption of ${name}`}
          placeholder={t`Add a caption`}
          maxLength={LIMITS.caption}
          dir="auto"
          value={file.caption ?? ''}
          onChange={(event) => onChange({ ...file, caption: event.target.value })}
          className="lc:h-8 lc:rounded-md lc:border lc:border-field lc:px-2"
        />
      )}
    </li>
  );
}

function Thumb({ file }: { file: DraftFile }) {
  const isShown = (file.kind === 'image' || file.kind === 'video' || file.kind === 'sticker') && !file.uploaded;
  const url = useObjectUrl(isShown ? file.file : null);
  const Icon = { image: Image, video: Video, audio: FileAudio, document: file.file.type === 'application/pdf' ? FileText : FileIcon, sticker: Sticker }[file.kind];
  return (
    <span className="lc:relative lc:grid lc:size-12 lc:shrink-0 lc:place-items-center lc:overflow-hidden lc:rounded-md lc:bg-canvas lc:text-soft">
      {url && file.kind !== 'video' && <img src={url} alt="" className="lc:size-full lc:object-cover" />}
      {url && file.kind === 'video' && <video src={`${url}#t=0.1`} muted playsInline preload="metadata" aria-hidden className="lc:size-full lc:object-cover" />}
      {!url && <Icon aria-hidden className="lc:size-6" />}
    </span>
  );
}
