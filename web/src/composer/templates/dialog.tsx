/** Message templates: one is chosen, filled in and sent. */
import { Trans, useLingui } from '@lingui/react/macro';
import { ArrowLeft, RefreshCw, Search } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { Template } from '../../api/types';
import { useTemplates } from '../../hooks/templates';
import { useFormat } from '../../i18n/format';
import { Button, IconButton } from '../../ui/button';
import { cn } from '../../ui/cn';
import { useUi } from '../../ui/context';
import { Dialog } from '../../ui/dialog';
import { Spinner } from '../../ui/spinner';
import type { DialogProps } from '../dialogs/dialogs';
import { SelectField } from '../dialogs/form';
import { TemplateForm } from './form';
import { findTemplates, onlyBodyField, type Unsendable, unsendable } from './parameters';

export function TemplatesDialog(props: DialogProps) {
  return <Picker {...props} text={null} />;
}

/** Those of which the draft can be the text. */
export function DraftTemplateDialog(props: DialogProps) {
  return <Picker {...props} text={props.draft.text.trim()} />;
}

function Picker({ conversation, change, onClose, onCloseFocus, text }: DialogProps & { /** What is to be put into the template. */ text: string | null }) {
  const { t } = useLingui();
  const [chosen, setChosen] = useState<Template | null>(null);
  const field = chosen && text !== null ? onlyBodyField(chosen) : null;
  return (
    <Dialog
      open
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      className="lc:sm:max-w-3xl"
      title={chosen ? t`Fill in the template` : text === null ? t`Send a template` : t`Send your draft in a template`}
      {...(!chosen && text !== null && { description: t`Templates with one blank, which your text fills. Line breaks become spaces.` })}
    >
      {chosen ? (
        <>
          <Button tone="outline" className="lc:mb-3" onClick={() => setChosen(null)}>
            <ArrowLeft aria-hidden className="lc:size-4 lc:rtl:-scale-x-100" />
            {t`All templates`}
          </Button>
          <TemplateForm
            conversation={conversation}
            template={chosen}
            initial={field && text !== null ? { [field.key]: { text } } : {}}
            onSent={() => {
              if (text !== null) change({ text: '' });
              onClose();
            }}
          />
        </>
      ) : (
        <TemplateList conversation={conversation} isForDraft={text !== null} onChoose={setChosen} />
      )}
    </Dialog>
  );
}

function TemplateList({ conversation, isForDraft, onChoose }: { conversation: DialogProps['conversation']; isForDraft: boolean; onChoose: (template: Template) => void }) {
  const { t } = useLingui();
  const { locale } = useUi();
  const format = useFormat();
  const { templates, error, refreshedAt, reload } = useTemplates(conversation.phone_number_id ?? null);
  const [query, setQuery] = useState('');
  const [language, setLanguage] = useState('');
  const [category, setCategory] = useState('');
  const offered = useMemo(() => (templates ?? []).filter((template) => !isForDraft || (onlyBodyField(template) && !unsendable(template))), [templates, isForDraft]);
  const found = useMemo(
    () => findTemplates(offered, query, locale).filter((template) => (language === '' || template.language === language) && (category === '' || template.category === category)),
    [offered, query, locale, language, category],
  );
  const names = useMemo(() => new Intl.DisplayNames(locale, { type: 'language', fallback: 'code' }), [locale]);
  const languageName = (code: string) => {
    try {
      return names.of(code.replaceAll('_', '-')) ?? code;
    } catch {
      return code;
    }
  };
  const categories: Record<string, string> = { MARKETING: t`Marketing`, UTILITY: t`Utility`, AUTHENTICATION: t`Authentication` };
  const languages = [...new Set(offered.map(({ language }) => language))];
  const shownCategories = [...new Set(offered.flatMap(({ category }) => category ?? []))];
  const reasons: Record<Unsendable, string> = {
    location: t`Needs a location, which cannot be sent from here`,
    code: t`Needs a coupon code, which cannot be sent from here`,
    products: t`Needs products, which cannot be sent from here`,
    other: t`Has parts that cannot be sent from here`,
  };
  const optedOutAt = conversation.marketing_opted_out_at;
  const optedOutDay = optedOutAt && format.day(optedOutAt, Date.now());
  const reasonOf = (template: Template): string | null => {
    if (template.category === 'MARKETING' && optedOutDay) return t`The customer wants no marketing messages (${optedOutDay})`;
    const kind = unsendable(template);
    return kind && reasons[kind];
  };

  if (!templates && !error) {
    return (
      <p className="lc:grid lc:min-h-40 lc:place-items-center">
        <Spinner label={t`Loading the templates`} />
      </p>
    );
  }
  if (!templates) {
    return (
      <div className="lc:flex lc:min-h-40 lc:flex-col lc:items-center lc:justify-center lc:gap-3 lc:text-center">
        <p>{error?.code === 'reconnect_required' ? t`WhatsApp has to be connected again before its templates can be loaded.` : t`The templates could not be loaded.`}</p>
        <Button tone="outline" onClick={reload}>{t`Try again`}</Button>
      </div>
    );
  }
  return (
    <div className="lc:flex lc:flex-col lc:gap-3">
      <div className="lc:sticky lc:top-0 lc:z-10 lc:flex lc:flex-wrap lc:gap-2 lc:bg-raised lc:pb-1">
        <label className="lc:relative lc:min-w-48 lc:grow lc:basis-56">
          <Search aria-hidden className="lc:absolute lc:start-3 lc:top-2.5 lc:size-4 lc:text-soft" />
          <input
            type="search"
            autoFocus
            aria-label={t`Search templates`}
            placeholder={t`Search templates`}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            className="lc:min-h-9 lc:w-full lc:rounded-lg lc:border lc:border-field lc:bg-surface lc:ps-9 lc:pe-3"
          />
        </label>
        {languages.length > 1 && (
          <SelectField
            label={t`Language`}
            hideLabel
            value={language}
            onChange={setLanguage}
            options={[{ value: '', label: t`All languages` }, ...languages.map((value) => ({ value, label: languageName(value) }))]}
          />
        )}
        {shownCategories.length > 1 && (
          <SelectField
            label={t`Category`}
            hideLabel
            value={category}
            onChange={setCategory}
            options={[{ value: '', label: t`All categories` }, ...shownCategories.map((value) => ({ value, label: categories[value] ?? value }))]}
          />
        )}
      </div>
      {found.length === 0 && (
        <p className="lc:py-10 lc:text-center lc:text-soft">
          {templates.length === 0
            ? t`This account has no approved templates. They are made in WhatsApp Manager.`
            : offered.length === 0
              ? t`No template has exactly one blank.`
              : t`No template fits.`}
        </p>
      )}
      <ul className="lc:flex lc:flex-col lc:gap-1">
        {found.map((template) => {
          const reason = reasonOf(template);
          return (
            <li key={`${template.template_id} ${template.language}`}>
              <button
                type="button"
                disabled={reason !== null}
                onClick={() => onChoose(template)}
                className={cn('lc:flex lc:w-full lc:flex-col lc:gap-0.5 lc:rounded-lg lc:px-3 lc:py-2 lc:text-start', reason === null && 'lc:hover:bg-hover')}
              >
                <span className="lc:flex lc:w-full lc:flex-wrap lc:items-baseline lc:gap-x-3">
                  <span className="lc:font-semibold lc:break-all" dir="ltr">
                    {template.name}
                  </span>
                  <span className="lc:text-xs lc:text-soft">
                    {[languageName(template.language), categories[template.category ?? ''] ?? template.category].filter(Boolean).join(' · ')}
                  </span>
                </span>
                <span className="lc:line-clamp-2 lc:text-soft" dir="auto">
                  {template.body?.text}
                </span>
                {reason && <span className="lc:text-xs lc:text-warning">{reason}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      {refreshedAt && (
        <p className="lc:flex lc:items-center lc:gap-1 lc:text-xs lc:text-soft">
          <Trans>As of {format.time(refreshedAt)}</Trans>
          <IconButton label={t`Load the templates again`} className="lc:size-7! lc:[&_svg]:size-4!" onClick={reload}>
            <RefreshCw />
          </IconButton>
        </p>
      )}
    </div>
  );
}
