/** WhatsApp's formatting, from a menu or by keys. */
import { useLingui } from '@lingui/react/macro';
import { Bold, CaseSensitive, Code, Italic, List, ListOrdered, SquareCode, Strikethrough, TextQuote } from 'lucide-react';
import { type KeyboardEvent, memo, useRef } from 'react';
import { IconButton } from '../ui/button';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import type { Mark } from './markup';

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** Which formatting a key stands for. Letters are compared by their place where the layout has others there. */
export function markOfKey(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): Mark | null {
  if (event.altKey || event.ctrlKey === event.metaKey) return null;
  const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^(Key|Digit)/, '').toLowerCase();
  const plain: Record<string, Mark> = { b: 'bold', i: 'italic' };
  // With Shift the letters that browsers leave to pages.
  const shifted: Record<string, Mark> = { x: 'strike', m: 'code', '7': 'numbers', '8': 'bullets', '9': 'quote' };
  return (event.shiftKey ? (shifted[event.code.replace('Digit', '')] ?? shifted[letter]) : plain[letter]) ?? null;
}

export const FormatMenu = memo(function FormatMenu({ onMark, onCloseFocus }: { onMark: (mark: Mark) => void; onCloseFocus: () => void }) {
  const { t } = useLingui();
  const chosen = useRef<Mark | null>(null);
  const [mod, shift] = isApple() ? ['⌘', '⇧'] : ['Ctrl+', 'Shift+'];
  const items: readonly (readonly [Mark, React.ReactNode, string, string | undefined] | null)[] = [
    ['bold', <Bold key="icon" />, t`Bold`, `${mod}B`],
    ['italic', <Italic key="icon" />, t`Italic`, `${mod}I`],
    ['strike', <Strikethrough key="icon" />, t`Strikethrough`, `${mod}${shift}X`],
    ['code', <Code key="icon" />, t`Code`, `${mod}${shift}M`],
    ['block', <SquareCode key="icon" />, t`Code block`, undefined],
    null,
    ['bullets', <List key="icon" />, t`Bulleted list`, `${mod}${shift}8`],
    ['numbers', <ListOrdered key="icon" />, t`Numbered list`, `${mod}${shift}7`],
    ['quote', <TextQuote key="icon" />, t`Quote`, `${mod}${shift}9`],
  ];
  return (
    <Menu
      // The text has its selection back before the mark is put around it.
      onCloseFocus={() => {
        onCloseFocus();
        if (chosen.current) onMark(chosen.current);
        chosen.current = null;
      }}
      trigger={
        <IconButton label={t`Formatting`} className="lc:my-px lc:hidden! lc:@min-[380px]:inline-flex!">
          <CaseSensitive />
        </IconButton>
      }
    >
      {items.map((item) =>
        item ? (
          <MenuItem key={item[0]} icon={item[1]} {...(item[3] !== undefined && { shortcut: item[3] })} onSelect={() => (chosen.current = item[0])}>
            {item[2]}
          </MenuItem>
        ) : (
          <MenuSeparator key="separator" />
        ),
      )}
    </Menu>
  );
});
