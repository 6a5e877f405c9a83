/** Files dropped anywhere on the conversation: on the composer, and on what stands around it. */
import { useLingui } from '@lingui/react/macro';
import { Upload } from 'lucide-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { useUi } from '../../ui/context';

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** `inside` is an element of the pane: its parent takes the files. */
export function DropZone({ inside, onFiles }: { inside: RefObject<HTMLElement | null>; onFiles: (files: readonly File[]) => void }) {
  const { t } = useLingui();
  const { portal } = useUi();
  const [box, setBox] = useState<DOMRect | null>(null);
  const latest = useRef(onFiles);
  useEffect(() => {
    latest.current = onFiles;
  });
  useEffect(() => {
    const pane = inside.current?.parentElement;
    if (!pane) return;
    // Elements within tell of leaving too; the pane is left when as many were left as entered.
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setBox(pane.getBoundingClientRect());
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setBox(null);
    };
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setBox(null);
      if (!hasFiles(event)) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    pane.addEventListener('dragenter', enter);
    pane.addEventListener('dragleave', leave);
    pane.addEventListener('dragover', over);
    pane.addEventListener('drop', drop);
    return () => {
      pane.removeEventListener('dragenter', enter);
      pane.removeEventListener('dragleave', leave);
      pane.removeEventListener('dragover', over);
      pane.removeEventListener('drop', drop);
    };
  }, [inside]);
  if (!box || !portal) return null;
  return createPortal(
    <div
      className="lc:pointer-events-none lc:fixed lc:z-40 lc:grid lc:place-items-center lc:bg-overlay lc:p-4"
      // Where it stands on the screen, whichever way is written.
      style={{ left: box.left, top: box.top, width: box.width, height: box.height }}
    >
      <p className="lc:flex lc:flex-col lc:items-center lc:gap-2 lc:rounded-2xl lc:border-2 lc:border-dashed lc:border-accent lc:bg-raised lc:px-8 lc:py-6 lc:text-base lc:font-medium">
        <Upload aria-hidden className="lc:size-8" />
        {t`Drop files to send them`}
      </p>
    </div>,
    portal,
  );
}
