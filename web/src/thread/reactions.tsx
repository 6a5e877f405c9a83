/** What was answered with an emoji; one's own goes away by a press. */
import { useLingui } from '@lingui/react/macro';
import type { Message } from '../api/types';
import { useUi } from '../ui/context';
import { useView } from './view';

const LOOK = 'lc:grid lc:h-6 lc:min-w-8 lc:place-items-center lc:rounded-full lc:border lc:px-1.5 lc:text-[13px] lc:leading-none';

export function Reactions({ message }: { message: Message }) {
  const { t } = useLingui();
  const ui = useUi();
  const { actions, customer } = useView();
  if (message.reactions.length === 0) return null;
  return (
    <ul className="lc:-mt-1.5 lc:flex lc:flex-wrap lc:gap-1 lc:px-2">
      {message.reactions.map(({ sender, emoji }) => (
        <li key={sender}>
          {sender === 'user' ? (
            <button
              type="button"
              aria-label={t`You reacted with ${emoji}. Take it back`}
              title={t`Take it back`}
              className={`${LOOK} lc:border-accent lc:bg-accent-soft lc:hover:bg-hover`}
              onClick={() => void actions.react(message, '').catch(() => ui.toast({ text: t`The reaction could not be sent.`, tone: 'danger' }))}
            >
              {emoji}
            </button>
          ) : (
            <span role="img" aria-label={t`${customer} reacted with ${emoji}`} className={`${LOOK} lc:border-line lc:bg-other`}>
              {emoji}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
