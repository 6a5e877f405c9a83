/** The quick replies that fit what is typed after a `/`. The text keeps the focus: the list is told which keys are pressed there. */
import { useLingui } from '@lingui/react/macro';
import { Paperclip, Settings2 } from 'lucide-react';
import { type KeyboardEvent, type RefObject, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import type { QuickReply } from '../../api/types';
import { useQuickReplies } from '../../hooks/quick_replies';
import { cn } from '../../ui/cn';
import { Spinner } from '../../ui/spinner';
import { matchQuickReplies } from '../slash';

export interface QuickReplyKeys {
  /** Whether the key was for the list. */
  onKeyDown(event: KeyboardEvent): boolean;
}

export function QuickReplyList({
  id,
  conversationId,
  query,
  keys,
  onChoose,
  onActive,
  onClose,
  onManage,
}: {
  id: string;
  conversationId: number;
  query: string;
  keys: RefObject<QuickReplyKeys | null>;
  onChoose: (quickReply: QuickReply) => void;
  /** The id of the chosen option's element, for the text field. */
  onActive: (id: string | undefined) => void;
  onClose: () => void;
  onManage: () => void;
}) {
  const { t } = useLingui();
  const { quickReplies, error } = useQuickReplies(conversationId);
  const found = useMemo(() => matchQuickReplies(quickReplies ?? [], query), [quickReplies, query]);
  const [chosen, setChosen] = useState({ query, index: 0 });
  const index = chosen.query === query ? Math.min(chosen.index, Math.max(0, found.length - 1)) : 0;
  const list = useRef<HTMLUListElement>(null);
  const active = found[index];
  const activeId = active && `${id}-${active.id}`;

  useEffect(() => {
    onActive(activeId);
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
    return () => onActive(undefined);
  }, [activeId, onActive]);

  useImperativeHandle(keys, () => ({
    onKeyDown(event) {
      if (event.key === 'Escape') {
        onClose();
        return true;
      }
      if (found.length === 0) return false;
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        const step = event.key === 'ArrowDown' ? 1 : found.length - 1;
        setChosen({ query, index: (index + step) % found.length });
        return true;
      }
      if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && active) {
        onChoose(active);
        return true;
      }
      return false;
    },
  }));

  // A fraction such as 1/2, or a path: with nothing that fits, the list is not in the way.
  if (quickReplies && found.length === 0 && query !== '') return null;
  return (
    <div className="lc:absolute lc:inset-x-2 lc:bottom-full lc:z-20 lc:mb-2 lc:flex lc:max-h-80 lc:max-w-xl lc:flex-col lc:overflow-hidden lc:rounded-xl lc:border lc:border-line lc:bg-raised lc:shadow-raised">
      {!quickReplies && !error && (
        <p className="lc:flex lc:items-center lc:gap-2 lc:p-3 lc:text-soft">
          <Spinner /> {t`Loading the quick replies`}
        </p>
      )}
      {error && !quickReplies && <p className="lc:p-3 lc:text-soft">{t`The quick replies could not be loaded.`}</p>}
      {quickReplies?.length === 0 && (
        <p className="lc:p-3 lc:text-soft">{t`You have no quick replies yet. Write down what you answer often, and find it here by typing a slash.`}</p>
      )}
      {found.length > 0 && (
        <ul ref={list} id={id} role="listbox" aria-label={t`Quick replies`} className="lc:min-h-0 lc:overflow-y-auto lc:p-1">
          {found.map((quickReply, place) => (
            <li
              key={quickReply.id}
              id={`${id}-${quickReply.id}`}
              role="option"
              aria-selected={place === index}
              // A press would take the focus from the text before it counts.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => onChoose(quickReply)}
              onPointerMove={() => place !== index && setChosen({ query, index: place })}
              className={cn('lc:flex lc:cursor-pointer lc:items-baseline lc:gap-3 lc:rounded-lg lc:px-2.5 lc:py-1.5', place === index && 'lc:bg-selected')}
            >
              <span className="lc:max-w-32 lc:shrink-0 lc:truncate lc:font-semibold" dir="auto">
                /{quickReply.shortcut}
              </span>
              <span className="lc:min-w-0 lc:grow lc:truncate lc:text-soft" dir="auto">
                {quickReply.rendered ?? quickReply.content ?? quickReply.media?.filename}
              </span>
              {quickReply.media && <Paperclip aria-label={t`With a file`} className="lc:size-4 lc:shrink-0 lc:self-center lc:text-soft" />}
            </li>
          ))}
        </ul>
      )}
      <div className="lc:flex lc:items-center lc:gap-3 lc:border-t lc:border-line lc:px-3 lc:py-1.5 lc:text-xs lc:text-soft">
        <span className="lc:grow">{found.length > 0 && t`Enter puts it in, Escape closes`}</span>
        <button
          type="button"
          onPointerDown={(event) => event.preventDefault()}
          onClick={onManage}
          className="lc:inline-flex lc:min-h-7 lc:items-center lc:gap-1.5 lc:rounded-md lc:px-2 lc:text-text lc:hover:bg-hover"
        >
          <Settings2 aria-hidden className="lc:size-4" />
          {t`Manage`}
        </button>
      </div>
    </div>
  );
}
