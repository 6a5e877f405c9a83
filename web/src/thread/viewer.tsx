/** Pictures at full size, one after the other, as far as they are loaded in the thread. */
import { useLingui } from '@lingui/react/macro';
import { useMemo, useState } from 'react';
import Lightbox from 'yet-another-react-lightbox';
import Captions from 'yet-another-react-lightbox/plugins/captions';
import Zoom from 'yet-another-react-lightbox/plugins/zoom';
import 'yet-another-react-lightbox/styles.css';
import 'yet-another-react-lightbox/plugins/captions.css';
import { Download } from 'lucide-react';
import type { Message } from '../api/types';
import { useMediaLink } from '../hooks/media';
import { useUi } from '../ui/context';
import { Spinner } from '../ui/spinner';
import { keyOf } from './rows';
import { useView } from './view';

export function Viewer({ pictures, first, onClose }: { pictures: readonly Message[]; first: Message; onClose: () => void }) {
  const { t } = useLingui();
  const { dir, host } = useUi();
  const { format, download } = useView();
  // What is loaded beside them meanwhile does not move the pictures under the agent's eyes.
  const [shown] = useState(pictures);
  const [index, setIndex] = useState(() => Math.max(0, shown.findIndex((message) => keyOf(message) === keyOf(first))));
  // The neighbours' links too, so that they are there when it is their turn.
  const links = [useMediaLink(shown[index - 1] ?? null).url, useMediaLink(shown[index] ?? null).url, useMediaLink(shown[index + 1] ?? null).url];
  const [known, setKnown] = useState<ReadonlyMap<number, string>>(new Map());
  const fresh = links.flatMap((url, at) => (url && known.get(index - 1 + at) === undefined ? [[index - 1 + at, url] as const] : []));
  if (fresh.length > 0) setKnown(new Map([...known, ...fresh]));
  const slides = useMemo(
    () =>
      shown.map((message, at) => ({
        src: known.get(at) ?? '',
        alt: message.media_caption ?? t`Photo`,
        ...(message.media?.width && message.media.height && { width: message.media.width, height: message.media.height }),
        title: format.full(message.timestamp ?? 0),
        ...(message.media_caption && { description: message.media_caption }),
      })),
    [shown, known, format, t],
  );
  const current = shown[index];
  return (
    <Lightbox
      open
      close={onClose}
      index={index}
      slides={slides}
      plugins={[Captions, Zoom]}
      on={{ view: ({ index }) => setIndex(index) }}
      carousel={{ finite: true, preload: 1 }}
      animation={matchMedia('(prefers-reduced-motion: reduce)').matches ? { fade: 0, swipe: 0, zoom: 0 } : { fade: 150, swipe: 250, zoom: 200 }}
      controller={{ closeOnBackdropClick: true, closeOnPullDown: true }}
      // It stands in the page itself, or where the host wants such things, beside the component's own look.
      portal={{ root: host.current.portalContainer ?? null }}
      styles={{ root: { fontFamily: 'system-ui, sans-serif', fontSize: 14 }, captionsTitle: { fontSize: 14, fontWeight: 500 } }}
      captions={{ descriptionTextAlign: 'center' }}
      zoom={{ maxZoomPixelRatio: 4, scrollToZoom: true }}
      {...(dir === 'rtl' && { dir })}
      render={{
        slide: ({ slide }) => (slide.src === '' ? <Spinner label={t`Loading`} /> : undefined),
        ...(shown.length < 2 && { buttonPrev: () => null, buttonNext: () => null }),
      }}
      toolbar={{
        buttons: [
          <button key="download" type="button" className="yarl__button" aria-label={t`Download`} title={t`Download`} onClick={() => current && download(current)}>
            <Download aria-hidden className="yarl__icon" />
          </button>,
          'close',
        ],
      }}
      labels={{ Previous: t`Earlier photo`, Next: t`Later photo`, Close: t`Close`, 'Zoom in': t`Zoom in`, 'Zoom out': t`Zoom out`, Lightbox: t`Photos`, 'Photo gallery': t`Photos`, Slide: t`Photo` }}
    />
  );
}
