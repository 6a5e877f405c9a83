/** Menus. The button that opens one is here from the start; what menus are made of is a file of its own, fetched before one is likely to be opened. */
import type { Menu as Radix } from 'radix-ui/internal';
import { cloneElement, type ComponentProps, createContext, type KeyboardEvent, type MouseEvent, type PointerEvent, type ReactElement, type ReactNode, use, useId, useRef, useState } from 'react';
import { cn } from './cn';
import { deferredOverlay } from './deferred';

/** How a menu looks. */
export const MENU_PANEL =
  'lc:z-50 lc:min-w-44 lc:max-w-[calc(100vw-16px)] lc:max-h-(--radix-popper-available-height) lc:overflow-y-auto lc:rounded-xl lc:border lc:border-line lc:bg-raised lc:p-1 lc:text-text lc:shadow-raised';
const ITEM =
  'lc:flex lc:min-h-8 lc:cursor-pointer lc:items-center lc:gap-2.5 lc:rounded-lg lc:px-2.5 lc:py-1 lc:outline-none lc:select-none lc:data-highlighted:bg-hover lc:data-disabled:opacity-50 lc:[&_svg]:size-4.5 lc:[&_svg]:shrink-0';

/** A menu by itself, open as long as it is drawn, for one that is opened otherwise than by a [`Menu`]'s trigger. */
export const OpenMenu = deferredOverlay(async () => (await import('./open_menu')).OpenMenu);

/** What menus are made of, within one that is open. */
export const MenuPartsContext = createContext<typeof Radix | null>(null);

export function useMenuParts(): typeof Radix {
  const parts = use(MenuPartsContext);
  if (!parts) throw new Error('This stands outside of a menu');
  return parts;
}

/** A menu that `trigger`, a button, opens; the focus returns to that, unless `onCloseFocus` puts it elsewhere. */
export function Menu({
  trigger,
  children,
  align = 'end',
  onCloseFocus,
}: {
  trigger: ReactElement<ComponentProps<'button'>>;
  children: ReactNode;
  align?: 'start' | 'end';
  onCloseFocus?: () => void;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const [opened, setOpened] = useState<'by keys' | 'by pointer' | null>(null);
  const isOpen = opened !== null;
  return (
    <>
      {cloneElement(trigger, {
        ref: button,
        id,
        'aria-haspopup': 'menu',
        'aria-expanded': isOpen,
        onPointerDown(event: PointerEvent) {
          if (event.button !== 0 || event.ctrlKey) return;
          setOpened(isOpen ? null : 'by pointer');
          // The menu gets the focus.
          if (!isOpen) event.preventDefault();
        },
        onKeyDown(event: KeyboardEvent) {
          if (event.key !== 'ArrowDown' && event.key !== 'Enter' && event.key !== ' ') return;
          event.preventDefault();
          setOpened('by keys');
        },
        onClick(event: MouseEvent) {
          // Without a pointer before it: by assistive technology.
          if (event.detail === 0) setOpened('by keys');
        },
      })}
      {isOpen && (
        <OpenMenu anchor={button} align={align} labelledBy={id} isByKeys={opened === 'by keys'} onClose={() => setOpened(null)} {...(onCloseFocus && { onCloseFocus })}>
          {children}
        </OpenMenu>
      )}
    </>
  );
}

export function MenuItem({
  onSelect,
  icon,
  shortcut,
  tone,
  disabled = false,
  children,
}: {
  onSelect: () => void;
  icon?: ReactNode;
  /** As it is written on keys. */
  shortcut?: string;
  tone?: 'danger';
  disabled?: boolean;
  children: ReactNode;
}) {
  const { Item } = useMenuParts();
  return (
    <Item disabled={disabled} onSelect={onSelect} className={cn(ITEM, tone === 'danger' && 'lc:text-danger')}>
      {icon}
      <span className="lc:grow">{children}</span>
      {shortcut && <kbd className="lc:text-xs lc:text-soft">{shortcut}</kbd>}
    </Item>
  );
}

/** Items of which one is chosen. */
export function MenuChoice<T extends string>({
  value,
  onChange,
  options,
}: {
  value: T;
  onChange: (value: T) => void;
  options: readonly { readonly value: T; readonly label: ReactNode }[];
}) {
  const { RadioGroup, RadioItem, ItemIndicator } = useMenuParts();
  return (
    <RadioGroup value={value} onValueChange={(chosen) => onChange(chosen as T)}>
      {options.map((option) => (
        <RadioItem key={option.value} value={option.value} className={cn(ITEM, 'lc:data-[state=checked]:font-semibold')}>
          <span className="lc:grow">{option.label}</span>
          <ItemIndicator>✓</ItemIndicator>
        </RadioItem>
      ))}
    </RadioGroup>
  );
}

/** What the items below it are about. */
export function MenuLabel({ children }: { children: ReactNode }) {
  const { Label } = useMenuParts();
  return <Label className="lc:max-w-72 lc:truncate lc:px-2.5 lc:pt-1.5 lc:pb-1 lc:text-xs lc:text-soft">{children}</Label>;
}

export function MenuSeparator() {
  const { Separator } = useMenuParts();
  return <Separator className="lc:my-1 lc:h-px lc:bg-line" />;
}
