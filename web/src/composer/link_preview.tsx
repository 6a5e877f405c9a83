import { useLingui } from '@lingui/react/macro';
import { Link2 } from 'lucide-react';

/** Whether WhatsApp shows a picture of what the first link of the text leads to. */
export function LinkPreviewChoice({ isOn, onChange }: { isOn: boolean; onChange: (isOn: boolean) => void }) {
  const { t } = useLingui();
  return (
    <label className="lc:mx-4 lc:mt-2 lc:inline-flex lc:min-h-6 lc:cursor-pointer lc:items-center lc:gap-2 lc:text-xs lc:text-soft">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} className="lc:size-4 lc:accent-accent" />
      <Link2 aria-hidden className="lc:size-4" />
      {t`Show a preview of the link`}
    </label>
  );
}
