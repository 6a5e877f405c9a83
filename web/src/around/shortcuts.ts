/**
 * The keys. Letters alone count only where no field has the focus, and all of it can be switched off (WCAG 2.1.4). None of them is one of a
 * browser's own, or with Alt and a letter, which opens menus. Ctrl+K is the browser's search bar in Firefox alone, and every inbox takes it.
 */

export type CommandId =
  | 'palette'
  | 'shortcuts'
  | 'settings'
  | 'search'
  | 'nextConversation'
  | 'previousConversation'
  | 'nextUnread'
  | 'archiveAndNext'
  | 'markUnread'
  | 'reply'
  | 'templates'
  | 'searchInConversation'
  | 'contactPanel';

/** A combination. `mod` is ⌘ on Apple's keyboards and Ctrl elsewhere. */
export interface Combination {
  /** `KeyboardEvent.key` of a Latin layout, in small letters. */
  readonly key: string;
  /** The same key's place, for layouts without Latin letters. */
  readonly code?: string;
  readonly mod?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
}

const letter = (key: string): Combination => ({ key, code: `Key${key.toUpperCase()}` });

/** In the order of the sheet. The first combination of each is the one that is shown beside its name. */
export const SHORTCUTS: Readonly<Record<CommandId, readonly Combination[]>> = {
  palette: [{ ...letter('k'), mod: true }],
  search: [{ key: '/', code: 'Slash' }],
  nextConversation: [letter('j'), { key: 'arrowdown', alt: true }],
  previousConversation: [letter('k'), { key: 'arrowup', alt: true }],
  nextUnread: [letter('n'), { key: 'arrowdown', alt: true, shift: true }],
  archiveAndNext: [letter('e')],
  markUnread: [letter('u')],
  reply: [letter('r')],
  templates: [letter('t')],
  searchInConversation: [letter('f')],
  contactPanel: [letter('i')],
  shortcuts: [{ key: '?' }, { key: '؟' }],
  // ⌘, and Ctrl+, are browsers' own.
  settings: [],
};

export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const PRINTABLE_ASCII = /^[!-~]$/;

/** The command of a key press; null where there is none. `inField`: text is being written, so keys that write do not count. */
export function commandOf(press: KeyPress, { inField, isApple }: { inField: boolean; isApple: boolean }): CommandId | null {
  for (const [id, combinations] of Object.entries(SHORTCUTS) as [CommandId, readonly Combination[]][]) {
    for (const combination of combinations) {
      if (inField && !combination.mod && !combination.alt) continue;
      if (isPressed(press, combination, isApple)) return id;
    }
  }
  return null;
}

function isPressed(press: KeyPress, combination: Combination, isApple: boolean): boolean {
  const { mod = false, alt = false, shift = false } = combination;
  if ((isApple ? press.metaKey : press.ctrlKey) !== mod || (isApple ? press.ctrlKey : press.metaKey) || press.altKey !== alt) return false;
  // Which signs need Shift is the layout's affair: `?` does on most, `/` on some.
  const isSign = combination.key.length === 1 && !/[a-z]/.test(combination.key);
  if (!isSign && press.shiftKey !== shift) return false;
  const key = press.key.toLowerCase();
  if (key === combination.key) return true;
  // The place of a key counts only where what it writes is no Latin letter or sign, as on Arabic or Cyrillic layouts.
  if (combination.code === undefined || PRINTABLE_ASCII.test(key) || key.length > 1) return false;
  return press.code === combination.code && press.shiftKey === shift;
}

const NAMES: Readonly<Record<string, string>> = { arrowdown: '↓', arrowup: '↑' };

/** The keys of a combination as they are written on the keyboard, one after the other. */
export function keysOf({ key, mod, alt, shift }: Combination, isApple: boolean): readonly string[] {
  return [
    ...(mod ? [isApple ? '⌘' : 'Ctrl'] : []),
    ...(alt ? [isApple ? '⌥' : 'Alt'] : []),
    ...(shift ? [isApple ? '⇧' : 'Shift'] : []),
    NAMES[key] ?? key.toUpperCase(),
  ];
}

/** A command's first combination in one string, such as `⌘K`, for menus. */
export function shortcutText(id: CommandId, isApple = isAppleKeyboard()): string {
  const combination = SHORTCUTS[id][0];
  return combination ? keysOf(combination, isApple).join(isApple ? '' : '+') : '';
}

export function isAppleKeyboard(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}

const KEYLESS_INPUTS = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/;

/** Whether an element takes what is typed. */
export function isField(element: Element | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element instanceof HTMLInputElement) return !KEYLESS_INPUTS.test(element.type);
  return element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement || element.isContentEditable;
}
