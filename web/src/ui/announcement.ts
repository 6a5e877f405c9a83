const MARK = '\u00a0';

/** A text as a screen reader takes it for another one than `before`: the same twice in a row would be said once. */
export function otherwise(text: string, before: string): string {
  return text !== '' && text === before ? text + MARK : text;
}
