import { useLingui } from '@lingui/react/macro';
import { useDraft } from '../hooks/drafts';
import { useSend } from '../hooks/misc';
import { Button } from '../ui/button';
import { useUi } from '../ui/context';

export function Composer() {
  const { conversationId } = useUi();
  return conversationId === null ? null : <Fields key={conversationId} conversationId={conversationId} />;
}

function Fields({ conversationId }: { conversationId: number }) {
  const { t } = useLingui();
  const [draft, change] = useDraft(conversationId);
  const send = useSend(conversationId);
  return (
    <form
      className="lc:flex lc:gap-2 lc:border-t lc:border-line lc:bg-surface lc:p-2"
      onSubmit={(event) => {
        event.preventDefault();
        void send({ message: draft.text, message_type: 'text' });
        change({ text: '' });
      }}
    >
      <textarea aria-label={t`Message`} className="lc:grow" value={draft.text} onChange={(event) => change({ text: event.target.value })} />
      <Button type="submit" tone="accent">{t`Send`}</Button>
    </form>
  );
}
