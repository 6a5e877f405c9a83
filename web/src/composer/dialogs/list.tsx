import { useLingui } from '@lingui/react/macro';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../../ui/button';
import { cut, LIMITS } from '../limits';
import type { DialogProps } from './dialogs';
import { TextField } from './form';
import { InteractiveDialog } from './frame';
import { checkList, countRows, EMPTY_FRAME, type Frame, type ListRow, type ListSection, listObject } from './interactive';

const newRow = (): ListRow => ({ key: crypto.randomUUID(), title: '', description: '' });
const newSection = (): ListSection => ({ key: crypto.randomUUID(), title: '', rows: [newRow()] });

/** A text with a button that opens a list, of which the customer chooses one row. */
export function ListDialog(props: DialogProps) {
  const { t } = useLingui();
  const [frame, setFrame] = useState<Frame>({ ...EMPTY_FRAME, body: cut(props.draft.text.trim(), LIMITS.interactive.body) });
  const [button, setButton] = useState('');
  const [sections, setSections] = useState<readonly ListSection[]>(() => [newSection()]);
  const isFull = countRows(sections) >= LIMITS.interactive.rows;
  const setSection = (place: number, change: Partial<ListSection>) => setSections(sections.map((section, at) => (at === place ? { ...section, ...change } : section)));
  const setRow = (place: number, index: number, change: Partial<ListRow>) =>
    setSection(place, { rows: (sections[place]?.rows ?? []).map((row, at) => (at === index ? { ...row, ...change } : row)) });
  return (
    <InteractiveDialog
      {...props}
      title={t`List to choose from`}
      frame={frame}
      onFrame={setFrame}
      hasFile={false}
      problems={checkList(frame, button, sections)}
      buttons={[{ icon: 'list', text: button }]}
      rows={sections.flatMap(({ key, title, rows }) => [...(title === '' ? [] : [{ key, title, isSection: true }]), ...rows.filter(({ title }) => title !== '')])}
      object={() => listObject(frame, button, sections)}
    >
      {(errorOf) => (
        <>
          <TextField label={t`Button that opens the list`} value={button} onChange={setButton} limit={LIMITS.interactive.button} error={errorOf('button')} />
          {sections.map((section, place) => (
            <fieldset key={section.key} className="lc:flex lc:min-w-0 lc:flex-col lc:gap-2 lc:rounded-xl lc:border lc:border-line lc:p-3">
              <legend className="lc:sr-only">{t`Section ${place + 1}`}</legend>
              {sections.length > 1 && (
                <div className="lc:flex lc:items-start lc:gap-1">
                  <div className="lc:grow">
                    <TextField
                      label={t`Title of section ${place + 1}`}
                      value={section.title}
                      limit={LIMITS.interactive.rowTitle}
                      error={errorOf(`sections.${place}`)}
                      onChange={(title) => setSection(place, { title })}
                    />
                  </div>
                  <IconButton label={t`Remove section ${place + 1}`} className="lc:mt-6" onClick={() => setSections(sections.toSpliced(place, 1))}>
                    <X />
                  </IconButton>
                </div>
              )}
              {section.rows.map((row, index) => (
                <div key={row.key} className="lc:flex lc:items-start lc:gap-1">
                  <div className="lc:grid lc:min-w-0 lc:grow lc:gap-x-2 lc:@min-[420px]:grid-cols-2">
                    <TextField
                      label={t`Row ${index + 1}`}
                      value={row.title}
                      limit={LIMITS.interactive.rowTitle}
                      error={errorOf(`rows.${place}.${index}`)}
                      onChange={(title) => setRow(place, index, { title })}
                    />
                    <TextField
                      label={t`Description of row ${index + 1}`}
                      optional
                      value={row.description}
                      limit={LIMITS.interactive.rowDescription}
                      error={errorOf(`descriptions.${place}.${index}`)}
                      onChange={(description) => setRow(place, index, { description })}
                    />
                  </div>
                  {section.rows.length > 1 && (
                    <IconButton label={t`Remove row ${index + 1}`} className="lc:mt-6" onClick={() => setSection(place, { rows: section.rows.toSpliced(index, 1) })}>
                      <X />
                    </IconButton>
                  )}
                </div>
              ))}
              <Button tone="outline" className="lc:self-start" disabled={isFull} onClick={() => setSection(place, { rows: [...section.rows, newRow()] })}>
                <Plus aria-hidden className="lc:size-4" />
                {t`Add a row`}
              </Button>
            </fieldset>
          ))}
          <Button tone="outline" className="lc:self-start" disabled={isFull} onClick={() => setSections([...sections, newSection()])}>
            <Plus aria-hidden className="lc:size-4" />
            {t`Add a section`}
          </Button>
          {isFull && <p className="lc:text-xs lc:text-soft">{t`A list has at most ${LIMITS.interactive.rows} rows.`}</p>}
        </>
      )}
    </InteractiveDialog>
  );
}
