/** The customer's name, which the agent may change. */
import { useLingui } from '@lingui/react/macro';
import { Check, Pencil, X } from 'lucide-react';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import type { Conversation } from '../api/types';
import { ApiError } from '../api/client';
import { useActions } from '../hooks/actions';
import { nameOf } from '../ui/avatar';
import { IconButton } from '../ui/button';

/** As many characters as the API takes. */
const LONGEST = 255;

export function Name({ conversation }: { conversation: Conversation }) {
  const { t } = useLingui();
  const [isEditing, setIsEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    if (wasEditing.current && !isEditing) pencil.current?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);
  if (isEditing) return <Editor conversation={conversation} onEnd={() => setIsEditing(false)} />;
  return (
    <div className="lc:flex lc:max-w-full lc:items-center lc:gap-1 lc:ps-9">
      <h3 className="lc:min-w-0 lc:text-center lc:text-lg lc:leading-6 lc:font-semibold lc:wrap-anywhere">
        <bdi>{nameOf(conversation)}</bdi>
      </h3>
      <IconButton ref={pencil} label={t`Rename`} className="lc:size-8! lc:text-soft lc:[&_svg]:size-4!" onClick={() => setIsEditing(true)}>
        <Pencil />
      </IconButton>
    </div>
  );
}

function Editor({ conversation, onEnd }: { conversation: Conversation; onEnd: () => void }) {
  const { t } = useLingui();
  const { rename } = useActions();
  const [name, setName] = useState(conversation.customer_name ?? '');
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const problemId = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    if (wanted === conversation.customer_name) return onEnd();
    if (wanted === '') return setProblem(t`A name has at least one letter.`);
    setIsBusy(true);
    setProblem(null);
    try {
      await rename(conversation.id, wanted);
      onEnd();
    } catch (error) {
      setIsBusy(false);
      setProblem(error instanceof ApiError && error.status === 0 ? t`No connection: the name was not saved.` : t`The name could not be saved.`);
      input.current?.focus();
    }
  };
  return (
    <form className="lc:w-full" onSubmit={(event) => void save(event)}>
      <div className="lc:flex lc:items-center lc:gap-1">
        <input
          ref={input}
          aria-label={t`Name`}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : problemId}
          dir="auto"
          autoComplete="off"
          maxLength={LONGEST}
          readOnly={isBusy}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            event.stopPropagation();
            onEnd();
          }}
          className="lc:h-9 lc:min-w-0 lc:grow lc:rounded-lg lc:border lc:border-field lc:bg-surface lc:px-2.5 lc:pointer-coarse:text-base"
        />
        <IconButton type="submit" label={t`Save`} disabled={isBusy}>
          <Check />
        </IconButton>
        <IconButton label={t`Cancel`} disabled={isBusy} onClick={onEnd}>
          <X />
        </IconButton>
      </div>
      {problem !== null && (
        <p id={problemId} role="alert" className="lc:pt-1 lc:text-xs lc:text-danger">
          {problem}
        </p>
      )}
    </form>
  );
}
