/** The composer of one conversation: the notices, the form, and what is opened from it. */
import { useRef, useState } from 'react';
import { useConversation } from '../hooks/conversations';
import { useDraft } from '../hooks/drafts';
import { useUi } from '../ui/context';
import { type DialogName, Dialogs } from './dialogs/dialogs';
import { DropZone } from './files/drop';
import { useFiles } from './files/use_files';
import { AccountNotice, ClosedWindow, ClosingNotice, TypingNotice } from './notices';
import { useHandle } from './use_handle';
import type { Told } from './composer';
import { useWindowState } from './window';
import { WriteForm } from './write_form';

export function OpenComposer({ conversationId, told }: { conversationId: number; told: { current: Told[] } }) {
  const { features } = useUi();
  const conversation = useConversation(conversationId);
  const window = useWindowState(conversation?.window_expires_at);
  const [draft, change] = useDraft(conversationId);
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const { preparing, addFiles } = useFiles(conversationId);
  const root = useRef<HTMLElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const hasTemplates = features.templates !== false;
  const hasFiles = features.attachments !== false;
  useHandle({ conversationId, told, root, area, addFiles: hasFiles ? addFiles : undefined, openTemplates: hasTemplates ? () => setDialog('templates') : undefined });
  // Until it is loaded nobody knows whether it may be answered; one that is gone has nothing to be answered.
  const isClosed = conversation !== undefined && conversation !== null && window.state === 'closed';
  if (conversation === null) return null;
  return (
    <section ref={root} className="lc:@container lc:relative lc:shrink-0 lc:border-t lc:border-line lc:bg-surface lc:pb-[env(safe-area-inset-bottom)]">
      {conversation && <AccountNotice conversation={conversation} />}
      <TypingNotice conversationId={conversationId} />
      {isClosed ? (
        <ClosedWindow
          conversation={conversation}
          window={window}
          draft={draft}
          hasTemplates={hasTemplates}
          onTemplate={() => setDialog('templates')}
          onUseDraft={() => setDialog('draft_template')}
        />
      ) : (
        <>
          {window.state === 'closing' && <ClosingNotice leftMs={window.leftMs} />}
          <WriteForm
            conversationId={conversationId}
            conversation={conversation}
            draft={draft}
            change={change}
            area={area}
            preparing={preparing}
            addFiles={addFiles}
            openDialog={setDialog}
          />
          {hasFiles && <DropZone inside={root} onFiles={addFiles} />}
        </>
      )}
      {conversation && (
        <Dialogs name={dialog} conversation={conversation} draft={draft} change={change} onClose={() => setDialog(null)} onCloseFocus={() => area.current?.focus()} />
      )}
    </section>
  );
}
