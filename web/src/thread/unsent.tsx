/** What was written in a conversation that is gone, and is nowhere else: it can be read and taken along, or thrown away. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Copy, Trash2 } from 'lucide-react';
import { useDraft } from '../hooks/drafts';
import { useThread } from '../hooks/thread';
import { useStore } from '../store/context';
import { Button } from '../ui/button';
import { useCopy } from '../ui/use_copy';
import { messageOf } from './outgoing';
import { useDiscard } from './send_again';
import { summaryOf } from './summary';

export function Unsent({ conversationId }: { conversationId: number }) {
  const { i18n, t } = useLingui();
  const copy = useCopy();
  const discardItem = useDiscard();
  const { drafts } = useStore();
  const items = useThread(conversationId).outbox;
  const [draft] = useDraft(conversationId);
  const texts = [...items.map((item) => messageOf(item).content ?? summaryOf(messageOf(item), i18n)), ...(draft.text === '' ? [] : [draft.text])];
  if (texts.length === 0 && draft.files.length === 0) return null;
  const discard = () => {
    drafts.clear(conversationId);
    for (const { messageId } of items) discardItem(messageId);
  };
  return (
    <section aria-label={t`Not sent`} className="lc:w-full lc:rounded-xl lc:border lc:border-line lc:bg-surface lc:p-3 lc:text-start lc:text-text">
      <p className="lc:pb-1 lc:text-soft">
        <Trans>This was not sent:</Trans>
      </p>
      {texts.map((text, index) => (
        <p key={index} dir="auto" className="lc:line-clamp-6 lc:py-1 lc:whitespace-pre-wrap lc:wrap-anywhere">
          {text}
        </p>
      ))}
      {draft.files.map(({ id, name }) => (
        <p key={id} className="lc:truncate lc:py-1">
          <bdi>{name}</bdi>
        </p>
      ))}
      <div className="lc:-mx-2 lc:flex lc:flex-wrap">
        {texts.length > 0 && (
          <Button onClick={() => copy(texts.join('\n\n'))}>
            <Copy aria-hidden className="lc:size-4" />
            <Trans>Copy</Trans>
          </Button>
        )}
        <Button onClick={discard}>
          <Trash2 aria-hidden className="lc:size-4" />
          <Trans>Discard</Trans>
        </Button>
      </div>
    </section>
  );
}
