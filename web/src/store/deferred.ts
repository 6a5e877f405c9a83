/** A promise that somebody else resolves, and whose value can be seen. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  isDone: boolean;
  value: T | undefined;
  resolve(value: T): void;
}

export function deferred<T>(): Deferred<T> {
  let done: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => (done = resolve));
  const result: Deferred<T> = {
    promise,
    isDone: false,
    value: undefined,
    resolve(value) {
      result.isDone = true;
      result.value = value;
      done(value);
    },
  };
  return result;
}
