/** An agent's quick replies: seen, written, changed and deleted. */
import { useLingui } from '@lingui/react/macro';
import { Paperclip, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { QuickReply } from '../../api/types';
import { useQuickReplies, useQuickReplyActions } from '../../hooks/quick_replies';
import { Button, IconButton } from '../../ui/button';
import { useUi } from '../../ui/context';
import { Dialog } from '../../ui/dialog';
import { Spinner } from '../../ui/spinner';
import type { DialogProps } from '../dialogs/dialogs';
import { matchQuickReplies } from '../slash';
import { QuickReplyForm } from './form';

/** Fewer need no search. */
const SEARCHED_FROM = 8;

export function QuickRepliesDialog({ conversation, onClose, onCloseFocus }: DialogProps) {
  const { t } = useLingui();
  const [edited, setEdited] = useState<QuickReply | 'new' | null>(null);
  return (
    <Dialog
      open
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      className="lc:sm:max-w-3xl"
      title={edited === null ? t`Quick replies` : edited === 'new' ? t`New quick reply` : t`Change quick reply`}
      {...(edited === null && { description: t`What you answer often. Type a slash in a message to find it.` })}
    >
      {edited === null ? (
        <List conversation={conversation} onEdit={setEdited} />
      ) : (
        <QuickReplyForm conversation={conversation} quickReply={edited === 'new' ? null : edited} onDone={() => setEdited(null)} />
      )}
    </Dialog>
  );
}

function List({ conversation, onEdit }: { conversation: DialogProps['conversation']; onEdit: (quickReply: QuickReply | 'new') => void }) {
  const { t } = useLingui();
  const { toast } = useUi();
  const { quickReplies, error } = useQuickReplies(conversation.id);
  const actions = useQuickReplyActions();
  const [query, setQuery] = useState('');
  const [deleting, setDeleting] = useState<number | null>(null);
  const found = matchQuickReplies(quickReplies ?? [], query.trim());

  const remove = async (quickReply: QuickReply) => {
    setDeleting(quickReply.id);
    const { shortcut, content = null, media } = quickReply;
    try {
      await actions.remove(quickReply.id);
      const again = () =>
        actions
          .create({ shortcut, content, ...(media && { media_id: media.media_id }) })
          .then(() => {})
          .catch(() => toast({ text: t`The quick reply could not be brought back.`, tone: 'danger' }));
      toast({ text: t`/${shortcut} was deleted.`, action: { label: t`Undo`, run: () => void again() } });
    } catch {
      toast({ text: t`The quick reply could not be deleted.`, tone: 'danger' });
    } finally {
      setDeleting(null);
    }
  };

  if (!quickReplies && !error) {
    return (
      <p className="lc:grid lc:min-h-40 lc:place-items-center">
        <Spinner label={t`Loading the quick replies`} />
      </p>
    );
  }
  if (!quickReplies) return <p className="lc:grid lc:min-h-40 lc:place-items-center">{t`The quick replies could not be loaded.`}</p>;
  return (
    <div className="lc:flex lc:flex-col lc:gap-3">
      <div className="lc:flex lc:flex-wrap lc:gap-2">
        {quickReplies.length >= SEARCHED_FROM && (
          <input
            type="search"
            aria-label={t`Search quick replies`}
            placeholder={t`Search quick replies`}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            className="lc:min-h-9 lc:min-w-40 lc:grow lc:rounded-lg lc:border lc:border-field lc:bg-surface lc:px-3"
          />
        )}
        <Button tone="accent" onClick={() => onEdit('new')}>
          <Plus aria-hidden className="lc:size-4" />
          {t`New quick reply`}
        </Button>
      </div>
      {found.length === 0 && <p className="lc:py-8 lc:text-center lc:text-soft">{quickReplies.length === 0 ? t`There are none yet.` : t`No quick reply fits.`}</p>}
      <ul className="lc:flex lc:flex-col lc:divide-y lc:divide-line">
        {found.map((quickReply) => (
          <li key={quickReply.id} className="lc:flex lc:items-center lc:gap-1 lc:py-1.5">
            <div className="lc:min-w-0 lc:grow">
              <p className="lc:flex lc:items-center lc:gap-2 lc:font-semibold">
                <span dir="auto" className="lc:truncate">
                  /{quickReply.shortcut}
                </span>
                {quickReply.media && <Paperclip aria-label={t`With a file`} className="lc:size-4 lc:shrink-0 lc:text-soft" />}
              </p>
              <p dir="auto" className="lc:line-clamp-2 lc:break-words lc:text-soft">
                {quickReply.content ?? quickReply.media?.filename}
              </p>
            </div>
            <IconButton label={t`Change /${quickReply.shortcut}`} hint={t`Change`} onClick={() => onEdit(quickReply)}>
              <Pencil />
            </IconButton>
            <IconButton label={t`Delete /${quickReply.shortcut}`} hint={t`Delete`} disabled={deleting === quickReply.id} onClick={() => void remove(quickReply)}>
              <Trash2 />
            </IconButton>
          </li>
        ))}
      </ul>
    </div>
  );
}
