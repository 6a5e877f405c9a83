import { useLingui } from '@lingui/react/macro';
import { Dialog } from '../ui/dialog';
import { useUi } from '../ui/context';
import { Button } from '../ui/button';
import { useHub, useSettings } from './hub';
import { NotificationSettings } from './notification_settings';
import { ReceiptSettings } from './receipt_settings';
import { Section } from './section';
import { SoundSettings } from './sound_settings';
import { Switch } from './switch';

/** What an agent sets. What is theirs is kept in this browser at once; there is nothing to save. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  const { features, components } = useUi();
  const hub = useHub();
  const [settings, change] = useSettings();
  return (
    <Dialog open onClose={onClose} title={t`Settings`}>
      <div className="lc:flex lc:flex-col lc:gap-6 lc:pt-1">
        {components.Settings && <components.Settings />}
        {features.sounds !== false && (
          <Section title={t`Sounds`}>
            <SoundSettings />
          </Section>
        )}
        {features.push !== false && (
          <Section title={t`Notifications`}>
            <NotificationSettings />
          </Section>
        )}
        <ReceiptSettings />
        {features.shortcuts !== false && (
          <Section title={t`Keyboard`}>
            <Switch
              label={t`Use keyboard shortcuts`}
              hint={t`Switch them off if they collide with a screen reader or voice control.`}
              checked={settings.shortcuts}
              onChange={(shortcuts) => change({ shortcuts })}
            />
            <div>
              <Button tone="outline" onClick={() => hub.show('shortcuts')}>{t`Show all shortcuts`}</Button>
            </div>
          </Section>
        )}
      </div>
    </Dialog>
  );
}
