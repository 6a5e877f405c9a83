import type { Conversation } from '../api/types';
import type { ListParams } from '../store/fold';

/** Where the open conversation stood in a list when it was last there. */
export interface Place {
  readonly id: number;
  readonly index: number;
}

/**
 * The list with the open conversation in its place, although it does not match the filter any more: reading what is unread would otherwise take
 * it from under the agent's eyes. One that was archived, or is another number's, goes all the same.
 */
export function withKept(items: readonly Conversation[], open: Conversation | null | undefined, place: Place | null, params: ListParams): readonly Conversation[] {
  if (!open || place?.id !== open.id || items.some(({ id }) => id === open.id)) return items;
  if (open.status !== params.status || (params.phoneNumberId !== null && open.phone_number_id !== params.phoneNumberId)) return items;
  return items.toSpliced(Math.min(place.index, items.length), 0, open);
}
