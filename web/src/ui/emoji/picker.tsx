/** The emoji to choose from, with a search; loaded when it is opened for the first time. */
import { useLingui } from '@lingui/react/macro';
import { EmojiPicker as Frimousse } from 'frimousse';
import { useUi } from '../context';
import { Spinner } from '../spinner';
import { loadEmoji } from './data';

const COLUMNS = 8;

export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t } = useLingui();
  const { locale } = useUi();
  return (
    <Frimousse.Root
      locale={locale}
      columns={COLUMNS}
      resolveEmojiData={loadEmoji}
      onEmojiSelect={({ emoji }) => onPick(emoji)}
      className="lc:isolate lc:flex lc:h-80 lc:w-[304px] lc:max-w-full lc:flex-col"
    >
      <div className="lc:flex lc:items-center lc:gap-1 lc:p-2">
        <Frimousse.Search
          autoFocus
          aria-label={t`Search emoji`}
          placeholder={t`Search emoji`}
          className="lc:h-9 lc:min-w-0 lc:grow lc:rounded-lg lc:border lc:border-field lc:px-3"
        />
        <Frimousse.SkinToneSelector aria-label={t`Change the skin tone`} className="lc:size-9 lc:rounded-lg lc:text-center lc:text-xl lc:hover:bg-hover" />
      </div>
      <Frimousse.Viewport className="lc:min-h-0 lc:grow lc:outline-none" tabIndex={0} aria-label={t`Emoji`}>
        <Frimousse.Loading className="lc:absolute lc:inset-0 lc:grid lc:place-items-center">
          <Spinner label={t`Loading`} />
        </Frimousse.Loading>
        <Frimousse.Empty className="lc:absolute lc:inset-0 lc:grid lc:place-items-center lc:px-4 lc:text-center lc:text-soft">{t`No emoji has this name`}</Frimousse.Empty>
        <Frimousse.List
          className="lc:pb-2 lc:select-none"
          components={{
            CategoryHeader: ({ category, ...props }) => (
              <div {...props} className="lc:bg-raised lc:px-3 lc:py-1.5 lc:text-xs lc:font-medium lc:text-soft">
                {category.label}
              </div>
            ),
            // Its rows and columns begin at 0, where ARIA's begin at 1. It finds a row by this attribute, except the first one.
            Row: ({ 'aria-rowindex': index, ...props }) => <div {...props} aria-rowindex={index || undefined} className="lc:scroll-my-1.5 lc:px-2" />,
            Emoji: ({ emoji, 'aria-colindex': index = 0, ...props }) => (
              <button type="button" {...props} aria-colindex={Number(index) + 1} className="lc:grid lc:size-[35px] lc:shrink-0 lc:place-items-center lc:rounded-md lc:text-[22px] lc:leading-none lc:data-active:bg-hover lc:data-active:outline-2 lc:data-active:-outline-offset-2 lc:data-active:outline-accent">
                {emoji.emoji}
              </button>
            ),
          }}
        />
      </Frimousse.Viewport>
    </Frimousse.Root>
  );
}
