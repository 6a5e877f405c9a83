/** What a template wants to be told, beside what the customer is going to read. */
import { useLingui } from '@lingui/react/macro';
import { useRef, useState } from 'react';
import type { Conversation, Template } from '../../api/types';
import { Button } from '../../ui/button';
import { useUi } from '../../ui/context';
import { FormAndPreview, TextField } from '../dialogs/form';
import { MessagePreview, type PreviewButton } from '../dialogs/preview';
import { MediaField, type UploadedFile } from '../files/media_field';
import { useObjectUrl } from '../files/object_url';
import { LIMITS } from '../limits';
import { useSendNow } from '../use_submit';
import { type FieldProblem, fieldsOf, type MediaKind, problemsOf, renderTemplate, type TemplateField, templateObject, type TemplateValues } from './parameters';

const ICONS: Record<string, PreviewButton['icon']> = { QUICK_REPLY: 'reply', URL: 'link', PHONE_NUMBER: 'phone' };

export function TemplateForm({ conversation, template, initial, onSent }: { conversation: Conversation; template: Template; initial: TemplateValues; onSent: () => void }) {
  const { t } = useLingui();
  const { announce } = useUi();
  const sendNow = useSendNow(conversation.id);
  const [values, setValues] = useState<TemplateValues>(initial);
  const [file, setFile] = useState<UploadedFile | null>(null);
  const [isChecked, setChecked] = useState(false);
  const [isSending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const fields = fieldsOf(template);
  const problems = problemsOf(fields, values);
  const rendered = renderTemplate(template, values);
  const url = useObjectUrl(file?.file ?? null);
  const media = fields.find(({ kind }) => kind !== 'text');

  const words: Record<FieldProblem, string> = {
    missing: t`Fill this in`,
    too_long: t`At most ${LIMITS.templateParameter} characters`,
    no_link: t`This is no https address`,
  };
  const errorOf = ({ key }: TemplateField) => {
    const problem = problems.get(key);
    return isChecked && problem ? words[problem] : undefined;
  };
  const labelOf = ({ place, name, button }: TemplateField): string => {
    if (button) return t`End of the link of “${button.text}”`;
    const blank = `{{${name}}}`;
    return place === 'header' ? t`Header, ${blank}` : t`Text, ${blank}`;
  };
  const mediaLabels: Record<MediaKind, string> = { image: t`Picture`, video: t`Video`, document: t`Document` };

  const send = async () => {
    setChecked(true);
    if (problems.size > 0) {
      // The first of those that are marked now.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-missing] button')?.focus());
      return;
    }
    setSending(true);
    const isKept = await sendNow({ message_type: 'template', template: templateObject(template, values) });
    setSending(false);
    if (!isKept) return;
    announce(t`Sent`);
    onSent();
  };

  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <FormAndPreview
        preview={
          <MessagePreview
            media={media && { kind: media.kind as MediaKind, url, name: file?.name }}
            header={rendered.header}
            body={rendered.body}
            footer={rendered.footer}
            buttons={rendered.buttons.map(({ type, text }) => ({ icon: ICONS[type] ?? 'none', text }))}
          />
        }
      >
        <p className="lc:text-soft" dir="ltr">
          {template.name}
        </p>
        {fields.length === 0 && <p>{t`This template has nothing to fill in.`}</p>}
        {fields.map((field, index) => {
          if (field.kind !== 'text') {
            return (
              <div key={field.key} data-missing={errorOf(field) === undefined ? undefined : ''}>
                <MediaField
                  label={mediaLabels[field.kind]}
                  kind={field.kind}
                  value={file}
                  error={errorOf(field)}
                  onChange={(next) => {
                    setFile(next);
                    setValues((values) => ({ ...values, [field.key]: next ? { mediaId: next.mediaId, filename: next.name } : undefined }));
                  }}
                />
              </div>
            );
          }
          const value = values[field.key];
          const suggestion = suggestionFor(field, conversation);
          return (
            <TextField
              key={field.key}
              label={labelOf(field)}
              value={value && 'text' in value ? value.text : ''}
              limit={LIMITS.templateParameter}
              placeholder={field.example ?? undefined}
              error={errorOf(field)}
              autoFocus={index === 0}
              onChange={(text) => setValues((values) => ({ ...values, [field.key]: { text } }))}
              {...(suggestion && {
                action: (
                  <button
                    type="button"
                    className="lc:min-h-6 lc:rounded lc:px-1 lc:text-xs lc:text-link lc:underline"
                    onClick={() => setValues((values) => ({ ...values, [field.key]: { text: suggestion } }))}
                  >
                    {t`Use “${suggestion}”`}
                  </button>
                ),
              })}
            />
          );
        })}
        <Button type="submit" tone="accent" disabled={isSending} className="lc:mt-1 lc:self-start">
          {t`Send template`}
        </Button>
      </FormAndPreview>
    </form>
  );
}

/** The customer's name, where a blank seems to ask for one. */
function suggestionFor({ name, place, example }: TemplateField, { customer_name: customer }: Conversation): string | null {
  if (!customer || place === 'button') return null;
  const asksForName = /name|nome|nombre/i.test(name) || (name === '1' && place === 'body' && /^\p{Lu}\p{Ll}+$/u.test(example ?? ''));
  return asksForName ? (/first/i.test(name) ? (customer.split(/\s+/)[0] ?? customer) : customer) : null;
}
