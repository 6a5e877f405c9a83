/** Search within the conversation: from the newest hit up. */
import { Trans, useLingui } from '@lingui/react/macro';
import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useMessageSearch } from '../hooks/search';
import { useFormat } from '../i18n/format';
import { IconButton } from '../ui/button';
import { Spinner } from '../ui/spinner';
import { keyOf } from './rows';

export function SearchBar({ conversationId, onShow, onClose, opened }: { conversationId: number; onShow: (key: string, query: string) => void; onClose: () => void; /** Changes each time it is asked for. */ opened: number }) {
  const { t } = useLingui();
  const format = useFormat();
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const { hits, isSearching, error, hasMore, loadMore } = useMessageSearch({ q: text, conversationId });
  const hit = hits?.[index]?.message;
  const key = hit ? keyOf(hit) : undefined;
  const latest = useRef(onShow);
  useEffect(() => {
    latest.current = onShow;
  });
  useEffect(() => field.current?.select(), [opened]);
  useEffect(() => {
    if (key !== undefined && !isSearching) latest.current(key, text.trim());
  }, [key, isSearching, text]);
  const count = hits?.length ?? 0;
  const go = (by: 1 | -1) => {
    const to = index + by;
    if (to >= count && hasMore) void loadMore().then(() => setIndex(to), () => {});
    else if (to >= 0 && to < count) setIndex(to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' || event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault();
      go(event.key === 'ArrowDown' || (event.key === 'Enter' && event.shiftKey) ? -1 : 1);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  };
  const total = hasMore ? `${format.number(count)}+` : format.number(count);
  const place = format.number(index + 1);
  return (
    <search className="lc:flex lc:shrink-0 lc:items-center lc:gap-1 lc:border-b lc:border-line lc:bg-surface lc:px-2 lc:py-1.5">
      <input
        ref={field}
        autoFocus
        type="search"
        dir="auto"
        value={text}
        maxLength={100}
        aria-label={t`Search in this conversation`}
        placeholder={t`Search in this conversation`}
        className="lc:h-9 lc:min-w-0 lc:grow lc:rounded-lg lc:border lc:border-field lc:px-3 lc:[&::-webkit-search-cancel-button]:hidden"
        onChange={(event) => {
          setText(event.target.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <span role="status" className="lc:flex lc:min-w-16 lc:shrink-0 lc:items-center lc:justify-center lc:text-xs lc:text-soft lc:tabular-nums">
        {isSearching ? <Spinner label={t`Searching`} /> : error ? <Trans>No connection</Trans> : hits && (count === 0 ? <Trans>No hits</Trans> : t`${place} of ${total}`)}
      </span>
      <IconButton label={t`Older hit`} disabled={count === 0 || (index + 1 >= count && !hasMore)} onClick={() => go(1)}>
        <ChevronUp />
      </IconButton>
      <IconButton label={t`Newer hit`} disabled={index === 0} onClick={() => go(-1)}>
        <ChevronDown />
      </IconButton>
      <IconButton label={t`Close the search`} onClick={onClose}>
        <X />
      </IconButton>
    </search>
  );
}
