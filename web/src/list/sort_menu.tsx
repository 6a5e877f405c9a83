import { useLingui } from '@lingui/react/macro';
import { ArrowDownNarrowWide, ArrowDownUp } from 'lucide-react';
import type { ListParams } from '../store/fold';
import { IconButton } from '../ui/button';
import { Menu, MenuChoice } from '../ui/menu';

export function SortMenu({ value, onChange }: { value: ListParams['sort']; onChange: (sort: ListParams['sort']) => void }) {
  const { t } = useLingui();
  const words = { recent: t`Newest first`, waiting: t`Longest waiting first` };
  const label = t`Order: ${words[value]}`;
  return (
    <Menu
      trigger={
        <IconButton label={label} className={value === 'waiting' ? 'lc:bg-accent-soft lc:text-text' : 'lc:text-soft'}>
          {value === 'waiting' ? <ArrowDownNarrowWide /> : <ArrowDownUp />}
        </IconButton>
      }
    >
      <MenuChoice
        value={value}
        onChange={onChange}
        options={[
          { value: 'recent', label: words.recent },
          { value: 'waiting', label: words.waiting },
        ]}
      />
    </Menu>
  );
}
