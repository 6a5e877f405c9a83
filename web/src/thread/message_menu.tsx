/** What can be done with a message. There is one menu for all rows: one each would make scrolling slow. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Copy, Download, Info, Reply, RotateCw, SmilePlus } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { Message } from '../api/types';
import { useUi } from '../ui/context';
import { useCopy } from '../ui/use_copy';
import { MENU_PANEL, MenuItem, MenuSeparator } from '../ui/menu';
import { keyOf } from './rows';
import { useSendAgain } from './send_again';
import { useView } from './view';

/** Those that people use most. */
const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;

export interface MenuTarget {
  readonly message: Message;
  /** Has the focus again afterwards. */
  readonly anchor: Element;
}

export function MessageMenu({ target, root, onClose, onMoreEmoji }: { target: MenuTarget; root: HTMLElement | null; onClose: () => void; onMoreEmoji: (message: Message) => void }) {
  const { t } = useLingui();
  const ui = useUi();
  const { actions, reply, download, openInfo } = useView();
  const { message, anchor } = target;
  const bubble = (anchor.querySelector('[class*="rounded-2xl"]') ?? anchor).getBoundingClientRect();
  const within = root?.getBoundingClientRect();
  const mine = message.reactions.find(({ sender }) => sender === 'user')?.emoji;
  const text = message.content || message.media_caption;
  const isHere = !message.deleted_at;
  const canAnswer = isHere && Boolean(message.wa_message_id);
  const copy = useCopy();
  const sendAgain = useSendAgain();
  const react = (emoji: string) => void actions.react(message, emoji).catch(() => ui.toast({ text: t`The reaction could not be sent.`, tone: 'danger' }));
  return (
    <Radix.Root open modal={false} dir={ui.dir} onOpenChange={(open) => !open && onClose()}>
      <Radix.Trigger asChild>
        <span
          aria-hidden
          className="lc:pointer-events-none lc:absolute"
          style={{ left: bubble.left - (within?.left ?? 0), top: bubble.top - (within?.top ?? 0), width: bubble.width, height: Math.min(bubble.height, (within?.bottom ?? 0) - bubble.top) }}
        />
      </Radix.Trigger>
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
            <MenuItem icon={<Copy />} onSelect={() => copy(text)}>
              <Trans>Copy text</Trans>
            </MenuItem>
          )}
          {isHere && message.media?.state === 'stored' && (
            <MenuItem icon={<Download />} onSelect={() => download(message)}>
              <Trans>Download</Trans>
            </MenuItem>
          )}
          {message.status === 'failed' && message.message_id && (
            <MenuItem icon={<RotateCw />} onSelect={() => sendAgain(keyOf(message))}>
              <Trans>Send again</Trans>
            </MenuItem>
          )}
          <MenuItem icon={<Info />} onSelect={() => openInfo(message)}>
            <Trans>Details</Trans>
          </MenuItem>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
