import { useLingui } from '@lingui/react/macro';
import { Settings } from 'lucide-react';
import { IconButton } from '../ui/button';
import { useHub } from './hub';

/** Opens the settings, which an `<Around/>` beside it draws. */
export function SettingsButton({ className }: { className?: string }) {
  const { t } = useLingui();
  const hub = useHub();
  return (
    <IconButton label={t`Settings`} aria-haspopup="dialog" onClick={() => hub.show('settings')} {...(className !== undefined && { className })}>
      <Settings />
    </IconButton>
  );
}
