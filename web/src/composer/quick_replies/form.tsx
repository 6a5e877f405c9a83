/** One quick reply: its shortcut, its text with variables, its file, and what this customer would read. */
import { useLingui } from '@lingui/react/macro';
import { Braces } from 'lucide-react';
import { useRef, useState } from 'react';
import { ApiError } from '../../api/client';
import type { Conversation, QuickReply } from '../../api/types';
import { usePhoneNumbers } from '../../hooks/misc';
import { useQuickReplyActions } from '../../hooks/quick_replies';
import { Button } from '../../ui/button';
import { Menu, MenuItem } from '../../ui/menu';
import { FormAndPreview, TextField } from '../dialogs/form';
import { MessagePreview } from '../dialogs/preview';
import { MediaField, type UploadedFile } from '../files/media_field';
import { useObjectUrl } from '../files/object_url';
import { isBlank, LIMITS, lengthOf } from '../limits';
import { fillBlanks } from '../slash';
import { insert } from '../text_area';
import { VARIABLES, type Variable, valueOf } from './variables';

interface Fields {
  readonly shortcut: string;
  readonly content: string;
  readonly file: UploadedFile | null;
}

/** What is wrong with it, as [`checkQuickReply`] and the API say. */
type Wrong = Partial<Record<'shortcut' | 'content' | 'media_id', 'missing' | 'space' | 'too_long' | 'in_use' | 'refused'>>;

export function checkQuickReply({ shortcut, content, file }: Fields): Wrong {
  const wrong: Wrong = {};
  const name = shortcut.trim();
  if (name === '') wrong.shortcut = 'missing';
  else if (/\s/u.test(name)) wrong.shortcut = 'space';
  else if (lengthOf(name) > LIMITS.shortcut) wrong.shortcut = 'too_long';
  if (isBlank(content) && !file) wrong.content = 'missing';
  else if (lengthOf(content) > LIMITS.quickReply) wrong.content = 'too_long';
  return wrong;
}

export function QuickReplyForm({ conversation, quickReply, onDone }: { conversation: Conversation; quickReply: QuickReply | null; onDone: () => void }) {
  const { t } = useLingui();
  const number = usePhoneNumbers()?.find(({ phone_number_id: id }) => id === conversation.phone_number_id);
  const actions = useQuickReplyActions();
  const [fields, setFields] = useState<Fields>(() => ({ shortcut: quickReply?.shortcut ?? '', content: quickReply?.content ?? '', file: fileOf(quickReply) }));
  const [isChecked, setChecked] = useState(false);
  const [refused, setRefused] = useState<Wrong>({});
  const [problem, setProblem] = useState<string>();
  const [isSaving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const content = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  /** Where the cursor was when the menu was opened. */
  const chosen = useRef<Variable | null>(null);
  const url = useObjectUrl(fields.file?.file ?? null);
  const wrong = { ...checkQuickReply(fields) };
  const set = (part: Partial<Fields>) => {
    setFields((fields) => ({ ...fields, ...part }));
    setRefused({});
  };
  const words: Record<NonNullable<Wrong['shortcut']>, string> = {
    missing: t`Fill this in`,
    space: t`One word, without a space`,
    too_long: t`This is too long`,
    in_use: t`You have another quick reply with this shortcut`,
    refused: t`This was not accepted`,
  };
  const errorOf = (field: keyof Wrong) => {
    const what = refused[field] ?? (isChecked ? wrong[field] : undefined);
    return what && (field === 'content' && what === 'missing' ? t`Write a text, or add a file` : words[what]);
  };
  const variables: Record<Variable, string> = {
    customer_name: t`Customer's name`,
    customer_phone: t`Customer's phone number`,
    customer_username: t`Customer's username`,
    business_name: t`Business name`,
  };

  const save = async () => {
    setChecked(true);
    setProblem(undefined);
    if (Object.keys(wrong).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setSaving(true);
    const body = { shortcut: fields.shortcut.trim(), content: isBlank(fields.content) ? null : fields.content, media_id: fields.file?.mediaId ?? null };
    try {
      if (quickReply) await actions.update(quickReply.id, body);
      else await actions.create(body);
      onDone();
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : null;
      if (error?.code === 'shortcut_in_use') setRefused({ shortcut: 'in_use' });
      else if (error?.field === 'shortcut' || error?.field === 'content' || error?.field === 'media_id') setRefused({ [error.field]: 'refused' });
      else setProblem(error?.status === 409 ? t`You have as many quick replies as there can be.` : t`This could not be saved. Try again.`);
    } finally {
      setSaving(false);
    }
  };

  const media = fields.file;
  const mediaKind = media?.kind === 'image' || media?.kind === 'video' || media?.kind === 'document' ? media.kind : 'document';
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSaving) void save();
      }}
    >
      <FormAndPreview
        preview={
          <MessagePreview
            media={media ? { kind: mediaKind, url, name: media.name } : undefined}
            body={fillBlanks(fields.content, (name) => valueOf(name, conversation, number)) || (media ? ' ' : '')}
          />
        }
      >
        <TextField
          label={t`Shortcut`}
          value={fields.shortcut}
          onChange={(shortcut) => set({ shortcut: shortcut.replace(/^\/+/, '') })}
          limit={LIMITS.shortcut}
          error={errorOf('shortcut')}
          hint={t`What you type after the slash`}
          autoFocus
        />
        <TextField
          ref={content}
          label={t`Text`}
          value={fields.content}
          onChange={(content) => set({ content })}
          limit={LIMITS.quickReply}
          error={errorOf('content')}
          rows={6}
          action={
            <Menu
              onCloseFocus={() => {
                content.current?.focus();
                if (chosen.current && content.current) insert(content.current, `{{${chosen.current}}}`);
                chosen.current = null;
              }}
              trigger={
                <Button className="lc:min-h-7! lc:px-2! lc:text-xs">
                  <Braces aria-hidden className="lc:size-4" />
                  {t`Insert a variable`}
                </Button>
              }
            >
              {VARIABLES.map((variable) => (
                <MenuItem key={variable} onSelect={() => (chosen.current = variable)}>
                  {variables[variable]}
                </MenuItem>
              ))}
            </Menu>
          }
        />
        <MediaField label={t`File`} value={fields.file} onChange={(file) => set({ file })} error={errorOf('media_id')} />
        <p role="alert" className="lc:text-danger lc:empty:hidden">
          {problem}
        </p>
        <div className="lc:flex lc:gap-2">
          <Button type="submit" tone="accent" disabled={isSaving}>
            {t`Save`}
          </Button>
          <Button onClick={onDone}>{t`Cancel`}</Button>
        </div>
      </FormAndPreview>
    </form>
  );
}

function fileOf(quickReply: QuickReply | null): UploadedFile | null {
  const media = quickReply?.media;
  if (!media) return null;
  return { mediaId: media.media_id, name: media.filename ?? media.mime_type, kind: media.kind as UploadedFile['kind'], size: media.size };
}
