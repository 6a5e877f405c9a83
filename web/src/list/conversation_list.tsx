/** The agent's conversations: searched, filtered, sorted, opened, and changed many at a time. */
import { useLingui } from '@lingui/react/macro';
import { type KeyboardEvent, useRef, useState } from 'react';
import { usePhoneNumbers } from '../hooks/misc';
import type { ListParams } from '../store/fold';
import { cn } from '../ui/cn';
import { useUi } from '../ui/context';
import { deferred, usePreload } from '../ui/deferred';
import type { Filter } from './filters';
import { InboxList } from './inbox_list';
import { SearchField } from './search_field';
import { SortMenu } from './sort_menu';
import { NoNumbers, Skeleton } from './states';

const FoundList = deferred(async () => (await import('./found_list')).FoundList, { Waiting: Skeleton });

export function ConversationList({ className }: { className?: string }) {
  const { t } = useLingui();
  const { features } = useUi();
  const numbers = usePhoneNumbers();
  const [filter, setFilter] = useState<Filter>('all');
  const [sort, setSort] = useState<ListParams['sort']>('recent');
  const [text, setText] = useState('');
  const root = useRef<HTMLElement>(null);
  usePreload(FoundList);
  const isSearching = text.trim() !== '';
  const focusRows = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    root.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus();
  };
  return (
    <section ref={root} aria-label={t`Conversations`} className={cn('lc:flex lc:h-full lc:min-h-0 lc:w-full lc:flex-col lc:bg-surface', className)}>
      <div className="lc:flex lc:items-center lc:gap-1 lc:ps-3 lc:pe-2 lc:pt-2.5 lc:pb-2">
        {features.search === false ? (
          <h2 className="lc:grow lc:text-base lc:font-semibold">{t`Conversations`}</h2>
        ) : (
          <SearchField value={text} onChange={setText} onKeyDown={focusRows} />
        )}
        <SortMenu value={sort} onChange={setSort} />
      </div>
      {numbers?.length === 0 ? (
        <NoNumbers />
      ) : isSearching ? (
        <FoundList text={text.trim()} onClear={() => setText('')} />
      ) : (
        <InboxList filter={filter} onFilter={setFilter} sort={sort} />
      )}
    </section>
  );
}
