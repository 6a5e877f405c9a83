import type { ListParams } from '../store/fold';

/** What of the inbox is shown, in the order of its chips. */
export const FILTERS = ['all', 'unread', 'unanswered', 'closing', 'archived'] as const;
export type Filter = (typeof FILTERS)[number];

const NARROWED: Record<Filter, ListParams['filter']> = { all: null, unread: 'unread', unanswered: 'unanswered', closing: 'window_closing', archived: null };

/** What a filter asks the API for. */
export function paramsOf(filter: Filter, sort: ListParams['sort'], phoneNumberId: string | null): ListParams {
  return { phoneNumberId, status: filter === 'archived' ? 'archived' : 'active', filter: NARROWED[filter], sort, q: '' };
}
