/**
 * What an agent did that the server has not answered yet, laid over what the server says: whatever arrives in between changes what lies below,
 * and a failure takes only the agent's own part away.
 */

interface Entry<T> {
  /** As the server has it. */
  base: T;
  readonly patches: Set<(object: T) => T>;
}

export class Overlays<T extends { readonly id: number }> {
  readonly #entries = new Map<number, Entry<T>>();

  /** As it is to be shown; to be called with each object that comes from the server. */
  shown(object: T): T {
    const entry = this.#entries.get(object.id);
    if (!entry) return object;
    entry.base = object;
    return applied(entry);
  }

  /** Lays `patch` over `object`, which is what is shown now. */
  add(object: T, patch: (object: T) => T): T {
    const entry = this.#entries.get(object.id) ?? { base: object, patches: new Set() };
    this.#entries.set(object.id, entry);
    entry.patches.add(patch);
    return applied(entry);
  }

  /** Takes it away, and says what is to be shown then. */
  remove(id: number, patch: (object: T) => T): T | null {
    const entry = this.#entries.get(id);
    if (!entry?.patches.delete(patch)) return null;
    if (entry.patches.size === 0) this.#entries.delete(id);
    return applied(entry);
  }

  clear(): void {
    this.#entries.clear();
  }
}

function applied<T>({ base, patches }: Entry<T>): T {
  let object = base;
  for (const patch of patches) object = patch(object);
  return object;
}
