// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { commandOf, isField, keysOf, type KeyPress, SHORTCUTS, shortcutText } from '../../src/around/shortcuts';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
const elsewhere = { inField: false, isApple: false };

describe('keys', () => {
  it('run a command by a letter where nothing is written', () => {
    expect(commandOf(press('j', { code: 'KeyJ' }), elsewhere)).toBe('nextConversation');
    expect(commandOf(press('e', { code: 'KeyE' }), elsewhere)).toBe('archiveAndNext');
  });

  it('write letters in a field, and only combinations count there', () => {
    const inField = { inField: true, isApple: false };
    expect(commandOf(press('j', { code: 'KeyJ' }), inField)).toBeNull();
    expect(commandOf(press('?', { shiftKey: true }), inField)).toBeNull();
    expect(commandOf(press('k', { ctrlKey: true }), inField)).toBe('palette');
    expect(commandOf(press('ArrowDown', { altKey: true }), inField)).toBe('nextConversation');
  });

  it('take ⌘ on Apple keyboards and Ctrl on others, never the other one', () => {
    expect(commandOf(press('k', { metaKey: true }), { inField: false, isApple: true })).toBe('palette');
    expect(commandOf(press('k', { ctrlKey: true }), { inField: false, isApple: true })).toBeNull();
    expect(commandOf(press('k', { metaKey: true }), elsewhere)).toBeNull();
  });

  it('leave combinations with other keys to the browser', () => {
    expect(commandOf(press('e', { altKey: true, code: 'KeyE' }), elsewhere)).toBeNull();
    expect(commandOf(press('t', { ctrlKey: true, code: 'KeyT' }), elsewhere)).toBeNull();
    expect(commandOf(press('r', { ctrlKey: true, code: 'KeyR' }), elsewhere)).toBeNull();
    expect(commandOf(press('N', { ctrlKey: true, shiftKey: true, code: 'KeyN' }), elsewhere)).toBeNull();
  });

  it('count by their place on a layout without Latin letters', () => {
    expect(commandOf(press('о', { code: 'KeyJ' }), elsewhere)).toBe('nextConversation');
    expect(commandOf(press('ن', { code: 'KeyK', ctrlKey: true }), elsewhere)).toBe('palette');
    expect(commandOf(press('؟', { code: 'Slash', shiftKey: true }), elsewhere)).toBe('shortcuts');
  });

  it('count by their letter on another Latin layout', () => {
    // Dvorak: the key in the place of J writes H.
    expect(commandOf(press('h', { code: 'KeyJ' }), elsewhere)).toBeNull();
    expect(commandOf(press('j', { code: 'KeyC' }), elsewhere)).toBe('nextConversation');
  });

  it('find a sign wherever the layout has it', () => {
    expect(commandOf(press('/', { code: 'Digit7', shiftKey: true }), elsewhere)).toBe('search');
    expect(commandOf(press('?', { code: 'Minus', shiftKey: true }), elsewhere)).toBe('shortcuts');
  });

  it('tell Shift from no Shift with arrows and letters', () => {
    expect(commandOf(press('ArrowDown', { altKey: true, shiftKey: true }), elsewhere)).toBe('nextUnread');
    expect(commandOf(press('J', { shiftKey: true, code: 'KeyJ' }), elsewhere)).toBeNull();
  });

  it('mean one command each', () => {
    const all = Object.values(SHORTCUTS).flat().map((combination) => keysOf(combination, false).join('+'));
    expect(new Set(all).size).toBe(all.length);
  });

  it('are written as on the keyboard', () => {
    expect(shortcutText('palette', true)).toBe('⌘K');
    expect(shortcutText('palette', false)).toBe('Ctrl+K');
    expect(shortcutText('settings', false)).toBe('');
  });
});

it('knows what takes what is typed', () => {
  const element = (html: string) => {
    document.body.innerHTML = html;
    return document.body.firstElementChild;
  };
  expect(isField(element('<input type="search">'))).toBe(true);
  expect(isField(element('<textarea></textarea>'))).toBe(true);
  expect(isField(element('<select></select>'))).toBe(true);
  expect(isField(element('<input type="checkbox">'))).toBe(false);
  expect(isField(element('<button></button>'))).toBe(false);
  expect(isField(null)).toBe(false);
});
