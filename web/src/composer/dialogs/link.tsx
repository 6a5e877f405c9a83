import { useLingui } from '@lingui/react/macro';
import { useState } from 'react';
import { cut, LIMITS } from '../limits';
import type { DialogProps } from './dialogs';
import { TextField } from './form';
import { InteractiveDialog } from './frame';
import { checkLink, EMPTY_FRAME, type Frame, linkObject } from './interactive';

/** A text with a button that opens a web page. */
export function LinkDialog(props: DialogProps) {
  const { t } = useLingui();
  const [frame, setFrame] = useState<Frame>({ ...EMPTY_FRAME, body: cut(props.draft.text.trim(), LIMITS.interactive.body) });
  const [text, setText] = useState('');
  const [url, setUrl] = useState('');
  return (
    <InteractiveDialog
      {...props}
      title={t`Link button`}
      frame={frame}
      onFrame={setFrame}
      problems={checkLink(frame, text, url)}
      buttons={[{ icon: 'link', text }]}
      object={() => linkObject(frame, text, url)}
    >
      {(errorOf) => (
        <>
          <TextField label={t`What the button says`} value={text} onChange={setText} limit={LIMITS.interactive.button} error={errorOf('text')} />
          <TextField label={t`Where it leads`} value={url} onChange={setUrl} limit={LIMITS.interactive.url} error={errorOf('url')} placeholder="https://" inputMode="url" dir="ltr" />
        </>
      )}
    </InteractiveDialog>
  );
}
