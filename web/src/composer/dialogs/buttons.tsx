import { useLingui } from '@lingui/react/macro';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../../ui/button';
import { cut, LIMITS } from '../limits';
import type { DialogProps } from './dialogs';
import { TextField } from './form';
import { InteractiveDialog } from './frame';
import { buttonsObject, checkButtons, EMPTY_FRAME, type Frame } from './interactive';

/** A question with up to three answers as buttons. */
export function ButtonsDialog(props: DialogProps) {
  const { t } = useLingui();
  const [frame, setFrame] = useState<Frame>({ ...EMPTY_FRAME, body: cut(props.draft.text.trim(), LIMITS.interactive.body) });
  const [buttons, setButtons] = useState([{ key: 'first', title: '' }]);
  const titles = buttons.map(({ title }) => title);
  return (
    <InteractiveDialog
      {...props}
      title={t`Reply buttons`}
      frame={frame}
      onFrame={setFrame}
      problems={checkButtons(frame, titles)}
      buttons={titles.map((text) => ({ icon: 'reply', text }))}
      object={() => buttonsObject(frame, titles)}
    >
      {(errorOf) => (
        <>
          {buttons.map(({ key, title }, index) => (
            <div key={key} className="lc:flex lc:items-start lc:gap-1">
              <div className="lc:grow">
                <TextField
                  label={t`Button ${index + 1}`}
                  value={title}
                  limit={LIMITS.interactive.button}
                  error={errorOf(`buttons.${index}`)}
                  onChange={(title) => setButtons(buttons.with(index, { key, title }))}
                />
              </div>
              {buttons.length > 1 && (
                <IconButton label={t`Remove button ${index + 1}`} className="lc:mt-6" onClick={() => setButtons(buttons.toSpliced(index, 1))}>
                  <X />
                </IconButton>
              )}
            </div>
          ))}
          {buttons.length < LIMITS.interactive.buttons && (
            <Button tone="outline" className="lc:self-start" onClick={() => setButtons([...buttons, { key: crypto.randomUUID(), title: '' }])}>
              <Plus aria-hidden className="lc:size-4" />
              {t`Add a button`}
            </Button>
          )}
        </>
      )}
    </InteractiveDialog>
  );
}
