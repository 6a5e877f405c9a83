/** What stands around the inbox, for the inbox itself, for hosts that put it together from its parts, and for the page. */
export { Around } from './around';
export { ConnectionState } from './connection_state';
export { InboxFooter } from './inbox_footer';
export { type ExtraCommand, useCommand, useShortcut } from './hub';
export { usePageBadge } from './page_badge';
export { signOutPush } from './push';
export { SettingsButton } from './settings_button';
export { type CommandId, shortcutText } from './shortcuts';
export { useSignOut } from './sign_out';
