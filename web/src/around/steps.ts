/** Which conversation comes next: pure, over the list as it is shown. */
import type { Conversation } from '../api/types';

/** The one that is `by` places away; from nowhere the first, or the last when going back. */
export function neighbour(shown: readonly Conversation[], openId: number | null, by: 1 | -1): Conversation | undefined {
  const at = shown.findIndex(({ id }) => id === openId);
  return at < 0 ? shown.at(by > 0 ? 0 : -1) : shown[at + by];
}

/** The next unread one below the open one, and from the top again. */
export function nextUnread(shown: readonly Conversation[], openId: number | null): Conversation | undefined {
  const at = shown.findIndex(({ id }) => id === openId);
  return [...shown.slice(at + 1), ...shown.slice(0, Math.max(at, 0))].find(({ id, unread_count }) => unread_count > 0 && id !== openId);
}

/** Where to go when the open one leaves the list: down, at the end up, else nowhere. */
export function afterLeaving(shown: readonly Conversation[], openId: number): Conversation | undefined {
  const at = shown.findIndex(({ id }) => id === openId);
  return shown[at + 1] ?? (at > 0 ? shown[at - 1] : undefined);
}
