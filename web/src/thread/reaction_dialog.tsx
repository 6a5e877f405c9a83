import { useLingui } from '@lingui/react/macro';
import type { Message } from '../api/types';
import { Dialog } from '../ui/dialog';
import { useUi } from '../ui/context';
import { EmojiPicker } from '../ui/emoji/picker';
import { useView } from './view';

/** All emoji, for one of them as a reaction. */
export function ReactionDialog({ message, onClose, onCloseFocus }: { message: Message; onClose: () => void; onCloseFocus: () => void }) {
  const { t } = useLingui();
  const ui = useUi();
  const { actions } = useView();
  return (
    <Dialog open onClose={onClose} onCloseFocus={onCloseFocus} title={t`React`} className="lc:sm:w-auto">
      <div className="lc:flex lc:justify-center">
        <EmojiPicker
          onPick={(emoji) => {
            onClose();
            actions.react(message, emoji).catch(() => ui.toast({ text: t`The reaction could not be sent.`, tone: 'danger' }));
          }}
        />
      </div>
    </Dialog>
  );
}
