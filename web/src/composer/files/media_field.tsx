/** A file within a form: chosen and uploaded at once, so that the form has its `media_id`. */
import { useLingui } from '@lingui/react/macro';
import { FileText, Upload, X } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useFormat } from '../../i18n/format';
import { useStore } from '../../store/context';
import type { OutgoingFile } from '../../store/outbox';
import { Button, IconButton } from '../../ui/button';
import { cn } from '../../ui/cn';
import { LARGEST } from '../limits';
import { prepare, sendAs } from './prepare';

export interface UploadedFile {
  readonly mediaId: string;
  readonly name: string;
  readonly kind: OutgoingFile['kind'];
  readonly size: number;
  /** To look at it; of a file that was chosen here. */
  readonly file?: Blob;
}

const ACCEPT: Partial<Record<OutgoingFile['kind'], string>> = { image: 'image/*', video: 'video/mp4,video/3gpp', audio: 'audio/*' };

export function MediaField({
  label,
  kind,
  value,
  onChange,
  error,
}: {
  label: string;
  /** What it has to be; any kind where it is missing. */
  kind?: OutgoingFile['kind'];
  value: UploadedFile | null;
  onChange: (file: UploadedFile | null) => void;
  error?: string | undefined;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const store = useStore();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<string>();
  const upload = useRef<AbortController | null>(null);
  useEffect(() => () => upload.current?.abort(), []);

  const choose = async (chosen: File) => {
    const controller = new AbortController();
    upload.current?.abort();
    upload.current = controller;
    setProblem(undefined);
    onChange(null);
    setProgress(0);
    try {
      const { file, refusal } = await prepare(chosen);
      const fitting = file && (kind === 'document' ? sendAs(file, 'document') : file);
      if (!fitting || (kind !== undefined && fitting.kind !== kind)) {
        const most = format.bytes(LARGEST[kind ?? 'document']);
        const words = {
          image: t`This has to be a picture of at most ${most}.`,
          video: t`This has to be a video in MP4 or 3GP of at most ${most}.`,
          audio: t`This has to be audio of at most ${most}.`,
          sticker: t`This has to be a sticker in WebP.`,
          document: refusal === 'too_large' ? t`The file is too large: at most ${most}.` : t`The file cannot be read.`,
        };
        setProblem(words[kind ?? 'document']);
        return;
      }
      const mediaId = await store.upload(fitting.file, { name: fitting.name, kind: fitting.kind }, (done) => !controller.signal.aborted && setProgress(done), controller.signal);
      if (!controller.signal.aborted) onChange({ mediaId, name: fitting.name, kind: fitting.kind, size: fitting.file.size, file: fitting.file });
    } catch {
      if (!controller.signal.aborted) setProblem(t`The file could not be uploaded. Choose it again.`);
    } finally {
      if (upload.current === controller) setProgress(null);
    }
  };

  const shown = problem ?? error;
  return (
    <div className="lc:flex lc:flex-col lc:gap-1">
      <span id={id} className="lc:text-xs lc:font-medium">
        {label}
      </span>
      <input
        ref={input}
        type="file"
        hidden
        aria-labelledby={id}
        accept={kind && ACCEPT[kind]}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) void choose(file);
          event.target.value = '';
        }}
      />
      {value ? (
        <div className="lc:flex lc:items-center lc:gap-2 lc:rounded-lg lc:border lc:border-field lc:ps-3">
          <FileText aria-hidden className="lc:size-4 lc:shrink-0 lc:text-soft" />
          <span dir="auto" className="lc:min-w-0 lc:grow lc:truncate">
            {value.name}
          </span>
          <span className="lc:shrink-0 lc:text-xs lc:text-soft">{format.bytes(value.size)}</span>
          <IconButton label={t`Remove ${value.name}`} onClick={() => onChange(null)}>
            <X />
          </IconButton>
        </div>
      ) : (
        <Button
          tone="outline"
          aria-describedby={`${id}-below`}
          aria-labelledby={`${id} ${id}-choose`}
          className={cn('lc:self-start', shown !== undefined && 'lc:border-danger')}
          disabled={progress !== null}
          onClick={() => input.current?.click()}
        >
          <Upload aria-hidden className="lc:size-4" />
          <span id={`${id}-choose`}>{progress === null ? t`Choose a file` : t`Uploading, ${Math.round(progress * 100)} %`}</span>
        </Button>
      )}
      <p id={`${id}-below`} role={problem ? 'alert' : undefined} className="lc:text-xs lc:text-danger">
        {shown}
      </p>
    </div>
  );
}
