/** Where an agent writes: for the conversation that is open. It is fetched beside what draws the conversation. */
import { useEffect, useRef } from 'react';
import { type ComposerHandle, useUi } from '../ui/context';
import { deferred, usePreload } from '../ui/deferred';

/** Something that a composer is told. */
export type Told = (composer: ComposerHandle) => void;

interface OpenProps {
  readonly conversationId: number;
  /** What was told before it was there. */
  readonly told: { current: Told[] };
}

const OpenComposer = deferred<OpenProps>(async () => (await import('./open_composer')).OpenComposer, {
  Waiting,
  className: 'lc:grow-0 lc:border-t lc:border-line lc:bg-surface',
});

export function Composer() {
  const { conversationId } = useUi();
  usePreload(OpenComposer);
  return conversationId === null ? null : <Opened key={conversationId} conversationId={conversationId} />;
}

function Opened({ conversationId }: { conversationId: number }) {
  const told = useRef<Told[]>([]);
  return <OpenComposer conversationId={conversationId} told={told} />;
}

/** As high as the composer, and ready to be told what that will do. */
function Waiting({ told }: OpenProps) {
  const { composer } = useUi();
  useEffect(() => {
    const later = (tell: Told) => void told.current.push(tell);
    const handle: ComposerHandle = {
      insertText: (text) => later((composer) => composer.insertText(text)),
      focus() {
        const from = document.activeElement;
        // Not from whoever went elsewhere meanwhile: a menu that they opened would close.
        later((composer) => [from, document.body].includes(document.activeElement) && composer.focus());
      },
      openTemplates: () => later((composer) => composer.openTemplates()),
      addFiles: (files) => later((composer) => composer.addFiles(files)),
    };
    composer.current = handle;
    return () => {
      if (composer.current === handle) composer.current = null;
    };
  }, [composer, told]);
  return (
    <div aria-hidden className="lc:shrink-0 lc:border-t lc:border-line lc:bg-surface lc:pb-[env(safe-area-inset-bottom)]">
      <div className="lc:px-13 lc:py-2">
        <div className="lc:h-10 lc:rounded-2xl lc:border lc:border-line" />
      </div>
    </div>
  );
}
