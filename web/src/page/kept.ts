/** What the page keeps in this browser, told to its other tabs by the browser itself. */
const PREFIX = 'waba-live-chat.';

/** A value under a name; what cannot be kept (a private window, a full disk) lasts until the page is closed. */
export class Kept<T> {
  readonly #key: string;
  readonly #parse: (value: unknown) => T;
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(name: string, parse: (value: unknown) => T) {
    this.#key = PREFIX + name;
    this.#parse = parse;
    this.#value = this.#read();
  }

  readonly get = (): T => this.#value;

  set(value: T): void {
    this.#value = value;
    try {
      if (value === null) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify(value));
    } catch {
      // It lasts until the page is closed.
    }
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const follow = ({ key }: StorageEvent) => {
      if (key !== this.#key && key !== null) return;
      this.#value = this.#read();
      listener();
    };
    this.#listeners.add(listener);
    addEventListener('storage', follow);
    return () => {
      this.#listeners.delete(listener);
      removeEventListener('storage', follow);
    };
  };

  #read(): T {
    try {
      return this.#parse(JSON.parse(localStorage.getItem(this.#key) ?? 'null'));
    } catch {
      return this.#parse(null);
    }
  }
}

/** A field of something that was kept, where it is a text. */
export function textOf(value: unknown, field: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = (value as Record<string, unknown>)[field];
  return typeof found === 'string' ? found : null;
}
