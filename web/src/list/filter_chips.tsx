/** Which conversations are shown: one of a few, chosen by a click or the arrow keys. */
import { useLingui } from '@lingui/react/macro';
import { type KeyboardEvent, useRef } from 'react';
import { useConversations } from '../hooks/conversations';
import { useFormat } from '../i18n/format';
import { matches, type ListParams } from '../store/fold';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { FILTERS, type Filter, paramsOf } from './filters';

const COUNTED: readonly Filter[] = ['unread', 'unanswered', 'closing'];

export function useFilterWords(): Record<Filter, string> {
  const { t } = useLingui();
  return {
    all: t`All`,
    unread: t`Unread`,
    unanswered: t`Unanswered`,
    closing: t({ message: 'Closing soon', comment: 'Conversations whose 24-hour window closes within 4 hours' }),
    archived: t({ message: 'Archived', context: 'conversations' }),
  };
}

export function FilterChips({ value, onChange, sort, withCounts, now }: { value: Filter; onChange: (filter: Filter) => void; sort: ListParams['sort']; withCounts: boolean; now: number }) {
  const { t } = useLingui();
  const { dir, phoneNumberId } = useUi();
  const words = useFilterWords();
  const group = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: dir === 'rtl' ? -1 : 1, ArrowLeft: dir === 'rtl' ? 1 : -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = (FILTERS.indexOf(value) + by + FILTERS.length) % FILTERS.length;
    onChange(FILTERS[next] ?? 'all');
    group.current?.querySelectorAll<HTMLElement>('[role=radio]')[next]?.focus();
  };
  return (
    <div ref={group} role="radiogroup" aria-label={t`Show`} className="lc:flex lc:flex-wrap lc:gap-1.5 lc:px-3 lc:pb-2.5" onKeyDown={onKeyDown}>
      {FILTERS.map((filter) => (
        <button
          key={filter}
          type="button"
          role="radio"
          aria-checked={filter === value}
          tabIndex={filter === value ? 0 : -1}
          onClick={() => onChange(filter)}
          className={cn(
            'lc:inline-flex lc:min-h-7 lc:items-center lc:gap-1.5 lc:rounded-full lc:border lc:px-2.5 lc:text-[13px] lc:transition-colors lc:pointer-coarse:min-h-9 lc:focus-visible:outline-2 lc:focus-visible:outline-accent',
            filter === value ? 'lc:border-accent lc:bg-accent lc:text-on-accent' : 'lc:border-line lc:text-soft lc:hover:bg-hover lc:hover:text-text',
          )}
        >
          {words[filter]}
          {withCounts && COUNTED.includes(filter) && <Count params={paramsOf(filter, sort, phoneNumberId)} now={now} />}
        </button>
      ))}
    </div>
  );
}

/** How many there are, as far as that is known. That a filter's list is here already makes it open at once, too. */
function Count({ params, now }: { params: ListParams; now: number }) {
  const { t } = useLingui();
  const format = useFormat();
  const { conversations = [], hasMore } = useConversations(params);
  const count = conversations.filter((conversation) => matches(conversation, params, now)).length;
  if (count === 0) return null;
  const shown = format.number(count);
  return <span className="lc:text-xs lc:font-semibold lc:tabular-nums">{hasMore ? t({ message: `${shown}+`, comment: 'At least so many' }) : shown}</span>;
}
