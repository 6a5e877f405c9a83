/** What else there is to send besides text. */
import { useLingui } from '@lingui/react/macro';
import { Contact, FileText, Image, LayoutTemplate, Link, List, MapPin, Plus, RectangleEllipsis, Zap } from 'lucide-react';
import { memo, useRef } from 'react';
import { IconButton } from '../ui/button';
import { useUi } from '../ui/context';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import type { DialogName } from './dialogs/dialogs';

export const PlusMenu = memo(function PlusMenu({
  onFiles,
  openDialog,
  onCloseFocus,
}: {
  onFiles: (files: readonly File[], asDocuments?: boolean) => void;
  openDialog: (name: DialogName) => void;
  onCloseFocus: () => void;
}) {
  const { t } = useLingui();
  const { features } = useUi();
  const media = useRef<HTMLInputElement>(null);
  const documents = useRef<HTMLInputElement>(null);
  const [hasFiles, hasTemplates, hasReplies, hasInteractive] = [
    features.attachments !== false,
    features.templates !== false,
    features.quickReplies !== false,
    features.interactive !== false,
  ];
  if (!hasFiles && !hasTemplates && !hasReplies && !hasInteractive) return null;
  const input = (ref: typeof media, label: string, accept: string | undefined, asDocuments: boolean) => (
    <input
      ref={ref}
      type="file"
      multiple
      hidden
      aria-label={label}
      accept={accept}
      onChange={(event) => {
        onFiles([...(event.target.files ?? [])], asDocuments);
        // The same file may be chosen again.
        event.target.value = '';
        onCloseFocus();
      }}
    />
  );
  return (
    <>
      <Menu
        align="start"
        trigger={
          <IconButton label={t`Attach`} className="lc:size-10 lc:rounded-full!">
            <Plus />
          </IconButton>
        }
      >
        {hasFiles && (
          <>
            <MenuItem icon={<Image />} onSelect={() => media.current?.click()}>{t`Photos and videos`}</MenuItem>
            <MenuItem icon={<FileText />} onSelect={() => documents.current?.click()}>{t`Document`}</MenuItem>
          </>
        )}
        {hasInteractive && (
          <>
            <MenuItem icon={<MapPin />} onSelect={() => openDialog('location')}>{t`Location`}</MenuItem>
            <MenuItem icon={<Contact />} onSelect={() => openDialog('contacts')}>{t`Contact`}</MenuItem>
            <MenuSeparator />
            <MenuItem icon={<RectangleEllipsis />} onSelect={() => openDialog('buttons')}>{t`Reply buttons`}</MenuItem>
            <MenuItem icon={<List />} onSelect={() => openDialog('list')}>{t`List to choose from`}</MenuItem>
            <MenuItem icon={<Link />} onSelect={() => openDialog('link')}>{t`Link button`}</MenuItem>
          </>
        )}
        {(hasTemplates || hasReplies) && <MenuSeparator />}
        {hasTemplates && <MenuItem icon={<LayoutTemplate />} onSelect={() => openDialog('templates')}>{t`Template`}</MenuItem>}
        {hasReplies && <MenuItem icon={<Zap />} onSelect={() => openDialog('quick_replies')}>{t`Quick replies`}</MenuItem>}
      </Menu>
      {hasFiles && input(media, t`Photos and videos`, 'image/*,video/*', false)}
      {hasFiles && input(documents, t`Document`, undefined, true)}
    </>
  );
});
