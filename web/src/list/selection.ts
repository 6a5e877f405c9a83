/** Which conversations are chosen for a change of many. */
export interface Selection {
  readonly ids: ReadonlySet<number>;
  /** Where a range begins: the one that was chosen last. */
  readonly anchor: number | null;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: null };

export function toggle({ ids }: Selection, id: number): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Everything from the anchor to `id` too, as the list stands in `order`. */
export function extend({ ids, anchor }: Selection, id: number, order: readonly number[]): Selection {
  const to = order.indexOf(id);
  const from = anchor === null ? to : order.indexOf(anchor);
  if (to < 0 || from < 0) return { ids: new Set([...ids, id]), anchor: id };
  return { ids: new Set([...ids, ...order.slice(Math.min(from, to), Math.max(from, to) + 1)]), anchor };
}

/** What is left of it in a list that has changed. */
export function within(selection: Selection, order: readonly number[]): Selection {
  const known = new Set(order);
  const ids = [...selection.ids].filter((id) => known.has(id));
  if (ids.length === selection.ids.size) return selection;
  return { ids: new Set(ids), anchor: selection.anchor !== null && known.has(selection.anchor) ? selection.anchor : null };
}
