/** Pictures, videos and stickers. Each has its size before its file is here, so that nothing moves when that comes. */
import { useLingui } from '@lingui/react/macro';
import { memo, useState } from 'react';
import type { Message } from '../../api/types';
import { cn } from '../../ui/cn';
import { useView } from '../view';
import { useFileUrl } from './file_url';
import { absenceOf, MediaState } from './media_state';

const WIDEST = 320;
const HIGHEST = 340;
const NARROWEST = 160;
const FLATTEST = 90;

/** The place of a picture or video of this size, in pixels: whole where it fits, cut where it is very long or flat. */
export function boxOf(width: number | null | undefined, height: number | null | undefined): { width: number; ratio: number } {
  const ratio = width && height ? width / height : 4 / 3;
  const fitting = Math.min(WIDEST, HIGHEST * ratio);
  const shown = Math.max(NARROWEST, Math.round(fitting));
  return { width: shown, ratio: shown / Math.min(HIGHEST, Math.max(FLATTEST, shown / ratio)) };
}

export const Picture = memo(function Picture({ message, file }: { message: Message; file: Blob | null }) {
  const { t } = useLingui();
  const { openViewer, customer } = useView();
  const { url, error, refresh } = useFileUrl(message, file);
  const [isBroken, setBroken] = useState(false);
  const [isLoaded, setLoaded] = useState(false);
  const { width, ratio } = boxOf(message.media?.width, message.media?.height);
  const style = { width, aspectRatio: ratio };
  const absence = absenceOf(message) ?? (error || isBroken ? 'unreachable' : null);
  const retry = () => {
    setBroken(false);
    refresh();
  };
  if (absence) return <MediaState message={message} absence={absence} onRetry={retry} style={style} />;
  const label = message.sender === 'customer' ? t`Open the photo from ${customer}` : t`Open the photo`;
  return (
    <button type="button" aria-label={label} className="lc:relative lc:block lc:max-w-full lc:overflow-hidden lc:rounded-lg lc:bg-quote" style={style} onClick={() => openViewer(message)}>
      {url && (
        <img
          src={url}
          alt=""
          decoding="async"
          draggable={false}
          className={cn('lc:size-full lc:object-cover lc:transition-opacity lc:duration-150', !isLoaded && 'lc:opacity-0')}
          onLoad={() => setLoaded(true)}
          onError={() => setBroken(true)}
        />
      )}
    </button>
  );
});

export const Video = memo(function Video({ message, file }: { message: Message; file: Blob | null }) {
  const { t } = useLingui();
  const { player } = useView();
  const { url, error, refresh } = useFileUrl(message, file);
  const [isBroken, setBroken] = useState(false);
  const { width, ratio } = boxOf(message.media?.width, message.media?.height);
  const style = { width: Math.max(width, 240), aspectRatio: ratio };
  const absence = absenceOf(message) ?? (error || isBroken ? 'unreachable' : null);
  const retry = () => {
    setBroken(false);
    refresh();
  };
  if (absence) return <MediaState message={message} absence={absence} onRetry={retry} style={style} />;
  return (
    <div className="lc:max-w-full lc:overflow-hidden lc:rounded-lg lc:bg-quote" style={style}>
      {url && (
        // Customers' videos come without subtitles.
        <video
          src={url}
          controls
          playsInline
          preload="metadata"
          aria-label={t`Video`}
          className="lc:size-full lc:object-contain"
          onPlay={() => player.stop()}
          onError={() => setBroken(true)}
        />
      )}
    </div>
  );
});

/** Animated ones move by themselves, unless the agent wants less of that: the browser knows no way to hold a WebP. */
export const Sticker = memo(function Sticker({ message, file }: { message: Message; file: Blob | null }) {
  const { t } = useLingui();
  const { url, error, refresh } = useFileUrl(message, file);
  const [isBroken, setBroken] = useState(false);
  const absence = absenceOf(message) ?? (error || isBroken ? 'unreachable' : null);
  const retry = () => {
    setBroken(false);
    refresh();
  };
  if (absence) return <MediaState message={message} absence={absence} onRetry={retry} className="lc:size-36" />;
  return (
    <div className="lc:size-36">
      {url && <img src={url} alt={t`Sticker`} decoding="async" draggable={false} className="lc:size-full lc:object-contain" onError={() => setBroken(true)} />}
    </div>
  );
});
