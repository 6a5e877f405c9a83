/** What can be done with a message. There is one menu for all rows: one each would make scrolling slow. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Copy, Download, Info, Reply, RotateCw, SmilePlus } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { Message } from '../api/types';
import { useStore } from '../store/context';
import { useUi } from '../ui/context';
import { MENU_PANEL, MenuItem, MenuSeparator } from '../ui/menu';
import { keyOf } from './rows';
import { useView } from './view';

/** Those that people use most. */
const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;

export interface MenuTarget {
  readonly message: Message;
  /** Has the focus again afterwards. */
  readonly anchor: Element;
}

interface MessageMenuProps {
  /** null: it is closed. It stays in place, because only then does it know whether keys or a pointer open it, and what to focus. */
  readonly target: MenuTarget | null;
  readonly root: { readonly current: HTMLElement | null };
  readonly onClose: () => void;
  readonly onMoreEmoji: (message: Message) => void;
}

export function MessageMenu({ target, root, onClose, onMoreEmoji }: MessageMenuProps) {
  const { dir } = useUi();
  const place = (span: HTMLElement | null) => {
    if (span && target) placeOver(span, target.anchor, root.current);
  };
  return (
    <Radix.Root open={target !== null} modal={false} dir={dir} onOpenChange={(open) => !open && onClose()}>
      <Radix.Trigger asChild>
        <span aria-hidden className="lc:pointer-events-none lc:absolute" ref={place} />
      </Radix.Trigger>
      {target && <Items target={target} onMoreEmoji={onMoreEmoji} />}
    </Radix.Root>
  );
}

/** Puts the place that the menu opens beside over a message's bubble, as far as that is in sight. */
function placeOver(span: HTMLElement, anchor: Element, root: HTMLElement | null): void {
  const bubble = (anchor.querySelector('[class*="rounded-2xl"]') ?? anchor).getBoundingClientRect();
  const within = root?.getBoundingClientRect();
  const height = Math.min(bubble.height, (within?.bottom ?? 0) - bubble.top);
  Object.assign(span.style, { left: `${bubble.left - (within?.left ?? 0)}px`, top: `${bubble.top - (within?.top ?? 0)}px`, width: `${bubble.width}px`, height: `${height}px` });
}

function Items({ target, onMoreEmoji }: { target: MenuTarget; onMoreEmoji: (message: Message) => void }) {
  const { t } = useLingui();
  const ui = useUi();
  const store = useStore();
  const { actions, reply, download, openInfo } = useView();
  const { message, anchor } = target;
  const mine = message.reactions.find(({ sender }) => sender === 'user')?.emoji;
  const text = message.content || message.media_caption;
  const isHere = !message.deleted_at;
  const canAnswer = isHere && Boolean(message.wa_message_id);
  const copy = () => {
    if (text) navigator.clipboard.writeText(text).then(() => ui.toast({ text: t`Copied`, durationMs: 2_500 }), () => ui.toast({ text: t`It could not be copied.`, tone: 'danger' }));
  };
  const react = (emoji: string) => void actions.react(message, emoji).catch(() => ui.toast({ text: t`The reaction could not be sent.`, tone: 'danger' }));
  return (
    <Radix.Portal container={ui.portal}>
      <Radix.Content
        aria-label={t`Message`}
        align={message.sender === 'user' ? 'end' : 'start'}
        sideOffset={4}
        collisionPadding={8}
        className={MENU_PANEL}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          // Something else may have taken the focus on purpose, such as the composer.
          if (document.activeElement === document.body && anchor instanceof HTMLElement) anchor.focus({ preventScroll: true });
        }}
      >
        {canAnswer && (
          <>
            <Radix.Group aria-label={t`React`} className="lc:flex lc:gap-0.5">
              {QUICK.map((emoji) => (
                <Radix.Item
                  key={emoji}
                  aria-label={mine === emoji ? t`Take ${emoji} back` : t`React with ${emoji}`}
                  onSelect={() => react(mine === emoji ? '' : emoji)}
                  className={`lc:grid lc:size-9 lc:cursor-pointer lc:place-items-center lc:rounded-lg lc:text-xl lc:outline-none lc:data-highlighted:bg-hover ${mine === emoji ? 'lc:bg-accent-soft' : ''}`}
                >
                  {emoji}
                </Radix.Item>
              ))}
            </Radix.Group>
            {ui.features.emoji !== false && (
              <MenuItem icon={<SmilePlus />} onSelect={() => onMoreEmoji(message)}>
                <Trans>More reactions</Trans>
              </MenuItem>
            )}
            <MenuSeparator />
            <MenuItem icon={<Reply className="lc:rtl:-scale-x-100" />} onSelect={() => reply(message)}>
              <Trans>Reply</Trans>
            </MenuItem>
          </>
        )}
        {isHere && text && (
          <MenuItem icon={<Copy />} onSelect={copy}>
            <Trans>Copy text</Trans>
          </MenuItem>
        )}
        {isHere && message.media?.state === 'stored' && (
          <MenuItem icon={<Download />} onSelect={() => download(message)}>
            <Trans>Download</Trans>
          </MenuItem>
        )}
        {message.status === 'failed' && message.message_id && (
          <MenuItem icon={<RotateCw />} onSelect={() => void store.outbox.retry(keyOf(message)).catch(() => ui.toast({ text: t`It could not be sent again.`, tone: 'danger' }))}>
            <Trans>Send again</Trans>
          </MenuItem>
        )}
        <MenuItem icon={<Info />} onSelect={() => openInfo(message)}>
          <Trans>Details</Trans>
        </MenuItem>
      </Radix.Content>
    </Radix.Portal>
  );
}
