import { ConnectionState } from './connection_state';
import { SettingsButton } from './settings_button';

/** Below the list: whether everything is here, and the settings. */
export function InboxFooter() {
  return (
    <footer className="lc:flex lc:h-10 lc:shrink-0 lc:items-center lc:justify-between lc:gap-2 lc:border-t lc:border-line lc:ps-4 lc:pe-1">
      <ConnectionState className="lc:min-w-0 lc:truncate" />
      <SettingsButton />
    </footer>
  );
}
