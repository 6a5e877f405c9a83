/** Changes to a text field as the agent would type them: its undo history stays whole. */
import type { Edit } from './markup';

export function edit(area: HTMLTextAreaElement | HTMLInputElement, { start, end, text, selectionStart, selectionEnd }: Edit): void {
  area.focus();
  area.setSelectionRange(start, end);
  // Nothing else that a page can do is undone by the browser's own undo.
  const isDone = start === end && text === '' ? true : text === '' ? document.execCommand?.('delete') : document.execCommand?.('insertText', false, text);
  if (!isDone) {
    area.setRangeText(text, start, end, 'end');
    area.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }));
  }
  area.setSelectionRange(selectionStart, selectionEnd);
}

/** Puts a text in place of what is selected, with the cursor behind it. */
export function insert(area: HTMLTextAreaElement | HTMLInputElement, text: string): void {
  const start = area.selectionStart ?? area.value.length;
  const end = area.selectionEnd ?? start;
  edit(area, { start, end, text, selectionStart: start + text.length, selectionEnd: start + text.length });
}

const ROWS = 8;

/** As high as its text, up to eight lines; then it scrolls. */
export function fitHeight(area: HTMLTextAreaElement): void {
  const style = getComputedStyle(area);
  const line = Number.parseFloat(style.lineHeight) || 20;
  const padding = Number.parseFloat(style.paddingBlockStart) + Number.parseFloat(style.paddingBlockEnd);
  area.style.height = 'auto';
  const wanted = area.scrollHeight;
  const most = line * ROWS + padding;
  area.style.height = `${Math.min(wanted, most)}px`;
  area.style.overflowY = wanted > most + 1 ? 'auto' : 'hidden';
}
