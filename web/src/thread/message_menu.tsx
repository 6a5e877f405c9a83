/** What can be done with a message. There is one menu for all rows: one each would make scrolling slow. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Copy, Download, Info, Reply, RotateCw, SmilePlus } from 'lucide-react';
import { useRef } from 'react';
import type { Message } from '../api/types';
import { useUi } from '../ui/context';
import { MenuItem, MenuSeparator, OpenMenu, useMenuParts } from '../ui/menu';
import { useCopy } from '../ui/use_copy';
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
  const place = useRef({
    // Of a long message, what is in sight of it.
    getBoundingClientRect() {
      const { left, top, width, height } = (anchor.querySelector('[class*="rounded-2xl"]') ?? anchor).getBoundingClientRect();
      const end = root?.getBoundingClientRect().bottom ?? innerHeight;
      return new DOMRect(left, top, width, Math.max(0, Math.min(height, end - top)));
    },
  });
  const mine = message.reactions.find(({ sender }) => sender === 'user')?.emoji;
  const text = message.content || message.media_caption;
  const isHere = !message.deleted_at;
  const canAnswer = isHere && Boolean(message.wa_message_id);
  const copy = useCopy();
  const sendAgain = useSendAgain();
  const react = (emoji: string) => void actions.react(message, emoji).catch(() => ui.toast({ text: t`The reaction could not be sent.`, tone: 'danger' }));
  return (
    <OpenMenu
      label={t`Message`}
      anchor={place}
      align={message.sender === 'user' ? 'end' : 'start'}
      isByKeys={anchor.matches(':focus-visible')}
      onClose={onClose}
      onCloseFocus={() => {
        // Something else may have taken the focus on purpose, such as the composer.
        if (document.activeElement === document.body && anchor instanceof HTMLElement) anchor.focus({ preventScroll: true });
      }}
    >
      {canAnswer && (
        <>
          <QuickReactions mine={mine} onReact={react} />
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
    </OpenMenu>
  );
}

function QuickReactions({ mine, onReact }: { mine: string | undefined; onReact: (emoji: string) => void }) {
  const { t } = useLingui();
  const { Group, Item } = useMenuParts();
  return (
    <Group aria-label={t`React`} className="lc:flex lc:gap-0.5">
      {QUICK.map((emoji) => (
        <Item
          key={emoji}
          aria-label={mine === emoji ? t`Take ${emoji} back` : t`React with ${emoji}`}
          onSelect={() => onReact(mine === emoji ? '' : emoji)}
          className={`lc:grid lc:size-9 lc:cursor-pointer lc:place-items-center lc:rounded-lg lc:text-xl lc:outline-none lc:data-highlighted:bg-hover ${mine === emoji ? 'lc:bg-accent-soft' : ''}`}
        >
          {emoji}
        </Item>
      ))}
    </Group>
  );
}
