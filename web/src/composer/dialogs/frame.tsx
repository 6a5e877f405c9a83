/** What the dialogs of interactive messages have in common. */
import { useLingui } from '@lingui/react/macro';
import { type ReactNode, type RefObject, useRef, useState } from 'react';
import type { InteractiveObject } from '../../api/types';
import { Button } from '../../ui/button';
import { useUi } from '../../ui/context';
import { Dialog } from '../../ui/dialog';
import { MediaField, type UploadedFile } from '../files/media_field';
import { useObjectUrl } from '../files/object_url';
import { isBlank, LIMITS } from '../limits';
import { replyId } from '../outgoing';
import { useSendNow } from '../use_submit';
import type { DialogProps } from './dialogs';
import { FormAndPreview, SelectField, TextField } from './form';
import type { Frame, HeaderFile, Problem, Problems } from './interactive';
import { MessagePreview, type PreviewButton, type PreviewRow } from './preview';

/** A form that names what is wrong once it was tried to send it, and goes to the first of that. */
export function useChecked(problems: Problems): { form: RefObject<HTMLFormElement | null>; errorOf: (field: string) => string | undefined; check: () => boolean } {
  const { t } = useLingui();
  const [isChecked, setChecked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const words: Record<Problem, string> = {
    missing: t`Fill this in`,
    too_long: t`This is too long`,
    twice: t`This is there twice`,
    no_link: t`This is no https address`,
    no_number: t`This is no number that fits here`,
  };
  return {
    form,
    errorOf: (field) => {
      const problem = problems.get(field);
      return isChecked && problem ? words[problem] : undefined;
    },
    check: () => {
      setChecked(true);
      if (problems.size === 0) return true;
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return false;
    },
  };
}

/** A dialog with a form that sends one message. */
export function SendDialog({
  title,
  isWide = false,
  form,
  onClose,
  onCloseFocus,
  onSend,
  children,
}: {
  title: string;
  isWide?: boolean;
  form: RefObject<HTMLFormElement | null>;
  onClose: () => void;
  onCloseFocus: () => void;
  /** Whether it is kept. */
  onSend: () => Promise<boolean>;
  children: ReactNode;
}) {
  const { t } = useLingui();
  const { announce } = useUi();
  const [isSending, setSending] = useState(false);
  const send = async () => {
    setSending(true);
    const isKept = await onSend();
    setSending(false);
    if (!isKept) return;
    announce(t`Sent`);
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      title={title}
      {...(isWide && { className: 'lc:sm:max-w-3xl' })}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancel`}</Button>
          <Button tone="accent" disabled={isSending} onClick={() => form.current?.requestSubmit()}>
            {t`Send`}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSending) void send();
        }}
      >
        {children}
        {/* So that Enter sends from a field of one line. */}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

/** A dialog for an interactive message: the words around, which all have, and what is its own. */
export function InteractiveDialog({
  title,
  frame,
  onFrame,
  hasFile = true,
  problems,
  buttons,
  rows = [],
  object,
  children,
  ...props
}: DialogProps & {
  title: string;
  frame: Frame;
  onFrame: (frame: Frame) => void;
  /** Whether a file can stand above. */
  hasFile?: boolean;
  problems: Problems;
  buttons: readonly PreviewButton[];
  rows?: readonly PreviewRow[];
  object: () => InteractiveObject;
  children: (errorOf: (field: string) => string | undefined) => ReactNode;
}) {
  const { t } = useLingui();
  const { conversation, draft, change, onClose, onCloseFocus } = props;
  const sendNow = useSendNow(conversation.id);
  const { form, errorOf, check } = useChecked(problems);
  const [headerKind, setHeaderKind] = useState<'none' | 'text' | HeaderFile['kind']>('none');
  const [file, setFile] = useState<UploadedFile | null>(null);
  const [isFileMissing, setFileMissing] = useState(false);
  const url = useObjectUrl(file?.file ?? null);
  const set = (part: Partial<Frame>) => onFrame({ ...frame, ...part });
  const media = headerKind === 'none' || headerKind === 'text' ? null : headerKind;
  const kinds = [
    { value: 'none', label: t`Nothing` },
    { value: 'text', label: t`A title` },
    ...(hasFile
      ? ([
          { value: 'image', label: t`A picture` },
          { value: 'video', label: t`A video` },
          { value: 'document', label: t`A document` },
        ] as const)
      : []),
  ] as const;
  return (
    <SendDialog
      title={title}
      isWide
      form={form}
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      onSend={async () => {
        const isMissing = media !== null && !frame.file;
        setFileMissing(isMissing);
        if (!check() || isMissing) return false;
        const answered = replyId(draft.replyTo);
        const isKept = await sendNow({ message_type: 'interactive', interactive: object(), ...(answered !== null && { reply_to: answered }) });
        if (isKept && answered !== null) change({ replyTo: null });
        // The words came out of the draft.
        if (isKept && !isBlank(draft.text) && frame.body.includes(draft.text.trim())) change({ text: '' });
        return isKept;
      }}
    >
      <FormAndPreview
        preview={
          <MessagePreview
            media={media ? { kind: media, url, name: file?.name } : undefined}
            header={headerKind === 'text' ? frame.header : null}
            body={frame.body}
            footer={frame.footer}
            buttons={buttons}
            rows={rows}
          />
        }
      >
        <TextField label={t`Text`} value={frame.body} onChange={(body) => set({ body })} limit={LIMITS.interactive.body} error={errorOf('body')} rows={3} autoFocus />
        {children(errorOf)}
        <SelectField
          label={t`Above the text`}
          value={headerKind}
          options={kinds}
          onChange={(kind) => {
            setHeaderKind(kind);
            setFile(null);
            setFileMissing(false);
            set({ header: '', file: null });
          }}
        />
        {headerKind === 'text' && (
          <TextField label={t`Title`} value={frame.header} onChange={(header) => set({ header })} limit={LIMITS.interactive.header} error={errorOf('header')} />
        )}
        {media && (
          <MediaField
            key={media}
            label={t`File above the text`}
            kind={media}
            value={file}
            error={isFileMissing ? t`Choose a file` : undefined}
            onChange={(next) => {
              setFile(next);
              set({ file: next && { mediaId: next.mediaId, kind: media, name: next.name } });
            }}
          />
        )}
        <TextField label={t`Below the text`} optional value={frame.footer} onChange={(footer) => set({ footer })} limit={LIMITS.interactive.footer} error={errorOf('footer')} />
      </FormAndPreview>
    </SendDialog>
  );
}
