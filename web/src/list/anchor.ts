/**
 * How far to scroll so that what is looked at stays where it is when rows move: rows that were visible before, by their key, with the
 * distance of each from the top. Most of them move by the same; one that moved by something else has itself changed its place.
 */
export function shiftOf(visible: ReadonlyMap<string, number>, topOf: (key: string) => number | undefined): number {
  const counts = new Map<number, number>();
  for (const [key, before] of visible) {
    const after = topOf(key);
    if (after !== undefined) counts.set(after - before, (counts.get(after - before) ?? 0) + 1);
  }
  let [shift, most] = [0, 0];
  for (const [distance, count] of counts) if (count > most) [shift, most] = [distance, count];
  return shift;
}
