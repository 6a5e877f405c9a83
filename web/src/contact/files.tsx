/** The pictures, videos and documents of a conversation, as far back as its messages are loaded. */
import { useLingui } from '@lingui/react/macro';
import { FileText, ImageOff, Play } from 'lucide-react';
import { useState } from 'react';
import type { Message } from '../api/types';
import { useMediaLink } from '../hooks/media';
import type { Thread } from '../hooks/thread';
import { useFormat } from '../i18n/format';
import { useNow } from '../list/now';
import { Button } from '../ui/button';
import { useUi } from '../ui/context';
import { Spinner } from '../ui/spinner';
import { filesOf, linkOf } from './files_of';

const PICTURES = 9;
const DOCUMENTS = 5;

export function Files({ thread, conversationId, onJump }: { thread: Thread; conversationId: number; onJump: () => void }) {
  const { t } = useLingui();
  const { openConversation } = useUi();
  const [areAllShown, setAreAllShown] = useState(false);
  const [loading, setLoading] = useState<'no' | 'yes' | 'failed'>('no');
  const { pictures, documents } = filesOf(thread.messages ?? []);
  const [shownPictures, shownDocuments] = areAllShown ? [pictures, documents] : [pictures.slice(0, PICTURES), documents.slice(0, DOCUMENTS)];
  const isCut = shownPictures.length < pictures.length || shownDocuments.length < documents.length;
  const loadOlder = async () => {
    setLoading('yes');
    setAreAllShown(true);
    try {
      await thread.loadOlder();
      setLoading('no');
    } catch {
      setLoading('failed');
    }
  };
  const jump = (message: Message) => {
    onJump();
    openConversation(conversationId, { message: message.id });
  };
  return (
    <section className="lc:flex lc:flex-col lc:gap-3 lc:border-t lc:border-line lc:px-4 lc:py-4">
      <h3 className="lc:font-semibold">{t`Media and files`}</h3>
      {!thread.messages && !thread.error && <Spinner label={t`Media and files are being loaded`} />}
      {thread.messages && pictures.length + documents.length === 0 && <p className="lc:text-soft">{thread.hasOlder ? t`None in the newest messages.` : t`None in this conversation.`}</p>}
      {shownPictures.length > 0 && (
        <ul aria-label={t`Photos and videos`} className="lc:grid lc:grid-cols-3 lc:gap-1.5">
          {shownPictures.map((message) => (
            <li key={message.id}>
              <Picture message={message} onClick={() => jump(message)} />
            </li>
          ))}
        </ul>
      )}
      {shownDocuments.length > 0 && (
        <ul aria-label={t`Documents`} className="lc:-mx-2 lc:flex lc:flex-col">
          {shownDocuments.map((message) => (
            <li key={message.id}>
              <Document message={message} />
            </li>
          ))}
        </ul>
      )}
      {loading === 'failed' && (
        <p role="alert" className="lc:text-xs lc:text-danger">
          {t`Older messages could not be loaded.`}
        </p>
      )}
      {isCut ? (
        <Button tone="outline" onClick={() => setAreAllShown(true)}>{t`Show all`}</Button>
      ) : (
        thread.hasOlder && (
          <Button tone="outline" disabled={loading === 'yes'} onClick={() => void loadOlder()}>
            {loading === 'yes' && <Spinner />}
            {t`Look in older messages`}
          </Button>
        )
      )}
    </section>
  );
}

function Picture({ message, onClick }: { message: Message; onClick: () => void }) {
  const { t } = useLingui();
  const format = useFormat();
  const link = linkOf(message.metadata);
  const { url = link?.url, error } = useMediaLink(message.media ? message : null);
  const [isBroken, setIsBroken] = useState(false);
  const at = message.timestamp ? format.full(message.timestamp) : '';
  const isVideo = message.message_type === 'video';
  return (
    <button
      type="button"
      onClick={onClick}
      aria-label={isVideo ? t`Video, ${at}: show in the conversation` : t`Photo, ${at}: show in the conversation`}
      className="lc:relative lc:grid lc:aspect-square lc:w-full lc:place-items-center lc:overflow-hidden lc:rounded-lg lc:bg-canvas lc:text-soft"
    >
      {error || isBroken ? (
        <ImageOff aria-hidden className="lc:size-5" />
      ) : url === undefined ? null : isVideo ? (
        <video src={`${url}#t=0.1`} muted playsInline preload="metadata" className="lc:size-full lc:object-cover" onError={() => setIsBroken(true)} />
      ) : (
        <img src={url} alt="" loading="lazy" decoding="async" className="lc:size-full lc:object-cover" onError={() => setIsBroken(true)} />
      )}
      {isVideo && (
        <span aria-hidden className="lc:absolute lc:grid lc:size-8 lc:place-items-center lc:rounded-full lc:bg-overlay">
          <Play className="lc:size-4 lc:fill-current" style={{ color: '#fff' }} />
        </span>
      )}
    </button>
  );
}

function Document({ message }: { message: Message }) {
  const { t } = useLingui();
  const format = useFormat();
  const now = useNow();
  const link = linkOf(message.metadata);
  const { url = link?.url, error } = useMediaLink(message.media ? message : null);
  const name = message.media?.filename || link?.filename || t`Document`;
  const details = [message.media?.size ? format.bytes(message.media.size) : null, message.timestamp ? format.short(message.timestamp, now) : null].filter((detail) => detail !== null);
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      aria-disabled={url === undefined}
      className="lc:flex lc:min-h-12 lc:items-center lc:gap-3 lc:rounded-lg lc:px-2 lc:py-1.5 lc:hover:bg-hover"
    >
      <FileText aria-hidden className="lc:size-5 lc:shrink-0 lc:text-soft" />
      <span className="lc:min-w-0">
        <bdi className="lc:block lc:truncate">{name}</bdi>
        <span className="lc:block lc:truncate lc:text-xs lc:text-soft">{error ? t`Not available at present` : details.join(' · ')}</span>
      </span>
    </a>
  );
}
