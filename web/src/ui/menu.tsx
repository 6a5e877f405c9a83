import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { cn } from './cn';
import { useUi } from './context';

/** How a menu looks that is drawn elsewhere. */
export const MENU_PANEL =
  'lc:z-50 lc:min-w-44 lc:max-h-(--radix-dropdown-menu-content-available-height) lc:overflow-y-auto lc:rounded-xl lc:border lc:border-line lc:bg-raised lc:p-1 lc:text-text lc:shadow-raised';
const ITEM =
  'lc:flex lc:min-h-8 lc:cursor-pointer lc:items-center lc:gap-2.5 lc:rounded-lg lc:px-2.5 lc:py-1 lc:outline-none lc:select-none lc:data-highlighted:bg-hover lc:data-disabled:opacity-50 lc:[&_svg]:size-4.5 lc:[&_svg]:shrink-0';

/** A menu that `trigger`, a button, opens; the focus returns to that, unless `onCloseFocus` puts it elsewhere. */
export function Menu({
  trigger,
  children,
  align = 'end',
  onCloseFocus,
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: 'start' | 'end';
  onCloseFocus?: () => void;
}) {
  const { dir } = useUi();
  const closing = onCloseFocus && {
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      onCloseFocus();
    },
  };
  return (
    <Radix.Root dir={dir} modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <MenuContent align={align} {...closing}>
        {children}
      </MenuContent>
    </Radix.Root>
  );
}

/** The menu itself, for one that is opened otherwise than by its trigger. */
export function MenuContent({
  align,
  label,
  onCloseAutoFocus,
  children,
}: {
  align: 'start' | 'end';
  /** What it is about, where no trigger says so. */
  label?: string;
  onCloseAutoFocus?: (event: Event) => void;
  children: ReactNode;
}) {
  const { portal } = useUi();
  return (
    <Radix.Portal container={portal}>
      <Radix.Content
        align={align}
        sideOffset={4}
        collisionPadding={8}
        className={MENU_PANEL}
        {...(label !== undefined && { 'aria-label': label, 'aria-labelledby': undefined })}
        {...(onCloseAutoFocus && { onCloseAutoFocus })}
      >
        {children}
      </Radix.Content>
    </Radix.Portal>
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
  return (
    <Radix.Item disabled={disabled} onSelect={onSelect} className={cn(ITEM, tone === 'danger' && 'lc:text-danger')}>
      {icon}
      <span className="lc:grow">{children}</span>
      {shortcut && <kbd className="lc:text-xs lc:text-soft">{shortcut}</kbd>}
    </Radix.Item>
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
  return (
    <Radix.RadioGroup value={value} onValueChange={(chosen) => onChange(chosen as T)}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={cn(ITEM, 'lc:data-[state=checked]:font-semibold')}>
          <span className="lc:grow">{option.label}</span>
          <Radix.ItemIndicator>✓</Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

/** What the items below it are about. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="lc:max-w-72 lc:truncate lc:px-2.5 lc:pt-1.5 lc:pb-1 lc:text-xs lc:text-soft">{children}</Radix.Label>;
}

export function MenuSeparator() {
  return <Radix.Separator className="lc:my-1 lc:h-px lc:bg-line" />;
}
