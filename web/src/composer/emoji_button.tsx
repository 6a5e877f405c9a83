import { useLingui } from '@lingui/react/macro';
import { Smile } from 'lucide-react';
import { memo, useRef, useState } from 'react';
import { IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { deferred } from '../ui/deferred';
import { Popover } from '../ui/popover';
import { Spinner } from '../ui/spinner';

/** Of what is to come, so that it does not jump. */
const PICKER_SIZE = 'lc:h-80 lc:w-[304px] lc:max-w-full';
const EmojiPicker = deferred(async () => (await import('../ui/emoji/picker')).EmojiPicker, {
  Waiting: () => (
    <div className={cn('lc:grid lc:place-items-center', PICKER_SIZE)}>
      <Spinner />
    </div>
  ),
  className: PICKER_SIZE,
});

/** Emoji at the cursor. */
export const EmojiButton = memo(function EmojiButton({ onPick, onCloseFocus }: { onPick: (emoji: string) => void; onCloseFocus: () => void }) {
  const { t } = useLingui();
  const [isOpen, setOpen] = useState(false);
  const picked = useRef<string | null>(null);
  return (
    <Popover
      label={t`Emoji`}
      open={isOpen}
      onOpenChange={setOpen}
      // The text has its cursor back before something is put there.
      onCloseFocus={() => {
        onCloseFocus();
        if (picked.current !== null) onPick(picked.current);
        picked.current = null;
      }}
      trigger={
        <IconButton label={t`Emoji`} className="lc:my-px lc:me-0.5">
          <Smile />
        </IconButton>
      }
    >
      <EmojiPicker
        onPick={(emoji) => {
          picked.current = emoji;
          setOpen(false);
        }}
      />
    </Popover>
  );
});
