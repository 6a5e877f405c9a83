import { Trans, useLingui } from '@lingui/react/macro';
import { Fragment } from 'react';
import { Dialog } from '../ui/dialog';
import { useUi } from '../ui/context';
import { useCommandLabels } from './command_labels';
import { useSettings } from './hub';
import { Keys } from './keys';
import { type CommandId, SHORTCUTS } from './shortcuts';
import { Switch } from './switch';

/** The sheet of shortcuts. */
export function ShortcutsSheet({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  const { features } = useUi();
  const labels = useCommandLabels();
  const [settings, change] = useSettings();
  const groups: readonly (readonly [string, readonly CommandId[]])[] = [
    [t`Anywhere`, ['palette', 'search', 'shortcuts']],
    [t`Conversations`, ['nextConversation', 'previousConversation', 'nextUnread', 'archiveAndNext', 'markUnread']],
    [t`The open conversation`, ['reply', 'templates', 'searchInConversation', 'contactPanel']],
  ];
  const isOffered = (id: CommandId) => !(
    (id === 'palette' && features.palette === false) ||
    (id === 'templates' && features.templates === false) ||
    (id === 'contactPanel' && features.contactPanel === false) ||
    ((id === 'search' || id === 'searchInConversation') && features.search === false)
  );
  return (
    <Dialog open onClose={onClose} title={labels.shortcuts} description={<Trans>Single keys work while no text field is in use.</Trans>}>
      <div className="lc:flex lc:flex-col lc:gap-5 lc:pt-1">
        {groups.map(([title, ids]) => (
          <section key={title} aria-label={title}>
            <h3 className="lc:pb-1 lc:text-xs lc:font-semibold lc:text-soft">{title}</h3>
            <dl>
              {ids.filter(isOffered).map((id) => (
                <div key={id} className="lc:flex lc:min-h-9 lc:items-center lc:justify-between lc:gap-4 lc:border-b lc:border-line lc:py-1 lc:last:border-b-0">
                  <dt>{labels[id]}</dt>
                  <dd className="lc:flex lc:shrink-0 lc:flex-wrap lc:items-center lc:justify-end lc:gap-1.5 lc:text-xs lc:text-soft">
                    {SHORTCUTS[id].filter(({ key }) => key !== '؟').map((combination, index) => (
                      <Fragment key={combination.key}>
                        {index > 0 && <Trans comment="Between two keys that do the same">or</Trans>}
                        <Keys combination={combination} />
                      </Fragment>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <Switch
          label={t`Use keyboard shortcuts`}
          hint={t`Switch them off if they collide with a screen reader or voice control.`}
          checked={settings.shortcuts}
          onChange={(shortcuts) => change({ shortcuts })}
        />
      </div>
    </Dialog>
  );
}
