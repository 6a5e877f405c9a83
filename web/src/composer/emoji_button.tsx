import { useLingui } from '@lingui/react/macro';
import { Smile } from 'lucide-react';
import { memo, useRef, useState } from 'react';
import { IconButton } from '../ui/button';
import { Popover } from '../ui/popover';
import { Deferred } from '../ui/deferred';

const loadPicker = async () => (await import('../ui/emoji/picker')).EmojiPicker;

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
      <Deferred
        load={loadPicker}
        props={{
          onPick: (emoji: string) => {
            picked.current = emoji;
            setOpen(false);
          },
        }}
        onFail={() => setOpen(false)}
      />
    </Popover>
  );
});
