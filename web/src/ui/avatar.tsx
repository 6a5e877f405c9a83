import type { Conversation } from '../api/types';
import { cn } from './cn';
import { useUi } from './context';

/** Pairs of background and text with a contrast over 4.5 in both themes. */
const COLORS = ['#0b6e99', '#8a3ffc', '#a8326a', '#1f7a4d', '#a04a00', '#3b5bdb', '#6b5b00', '#c0392b'];

/** What a customer is called where a name is shown. */
export function nameOf({ customer_name, customer_username, customer_phone, customer_user_id }: Conversation): string {
  return customer_name || (customer_username ? `@${customer_username}` : '') || customer_phone || customer_user_id || '—';
}

export function Avatar({ conversation, className }: { conversation: Conversation; className?: string }) {
  const { components } = useUi();
  if (components.Avatar) return <components.Avatar conversation={conversation} />;
  const initials = [...nameOf(conversation).replace(/^[@+]/, '').trim()][0]?.toLocaleUpperCase() ?? '?';
  return (
    <span
      aria-hidden
      className={cn('lc:grid lc:size-11 lc:shrink-0 lc:place-items-center lc:rounded-full lc:text-base lc:font-semibold', className)}
      style={{ background: COLORS[conversation.id % COLORS.length], color: '#fff' }}
    >
      {initials}
    </span>
  );
}
