/** A menu as long as it is open, beside an element or a place of the screen. */
import { Menu as Radix } from 'radix-ui/internal';
import { type ReactNode, type RefObject, useRef } from 'react';
import { useUi } from './context';
import { MENU_PANEL, MenuPartsContext } from './menu';

/** An element, or a box of the screen. */
export type Anchor = Pick<Element, 'getBoundingClientRect'>;

export function OpenMenu({
  anchor,
  align,
  label,
  labelledBy,
  isByKeys,
  onClose,
  onCloseFocus,
  children,
}: {
  anchor: RefObject<Anchor | null>;
  align: 'start' | 'end';
  /** What it is about, where no trigger says so. */
  label?: string;
  /** The id of its trigger. */
  labelledBy?: string;
  /** Whether the first item is to have the focus. */
  isByKeys: boolean;
  onClose: () => void;
  /** Takes the focus when it closes; else the anchor gets it, unless something else was pressed. */
  onCloseFocus?: () => void;
  children: ReactNode;
}) {
  const { dir, portal } = useUi();
  const hasLeft = useRef(false);
  const isEntered = useRef(false);
  return (
    <Radix.Root open dir={dir} modal={false} onOpenChange={(open) => !open && onClose()}>
      <Radix.Anchor virtualRef={anchor as RefObject<Anchor>} />
      <Radix.Portal container={portal}>
        <Radix.Content
          aria-label={label}
          aria-labelledby={labelledBy}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={MENU_PANEL}
          onEntryFocus={(event) => {
            // It was not there when it was opened, so it cannot know by what.
            if (isByKeys && !isEntered.current) {
              event.preventDefault();
              (event.currentTarget as Element).querySelector<HTMLElement>('[role^="menuitem"]:not([data-disabled])')?.focus();
            }
            isEntered.current = true;
          }}
          onInteractOutside={() => {
            hasLeft.current = true;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (onCloseFocus) onCloseFocus();
            else if (!hasLeft.current && anchor.current instanceof HTMLElement) anchor.current.focus();
          }}
        >
          <MenuPartsContext value={Radix}>{children}</MenuPartsContext>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
