import { useLingui } from '@lingui/react/macro';
import { Check, Copy as CopyIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from '../ui/button';
import { useUi } from '../ui/context';

const TOLD_MS = 2_000;

/** Puts something on the clipboard, and shows that it did. */
export function Copy({ value, label }: { value: string; label: string }) {
  const { t } = useLingui();
  const { toast, announce } = useUi();
  const [copied, setCopied] = useState(0);
  useEffect(() => {
    if (copied === 0) return;
    const timer = setTimeout(() => setCopied(0), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied((count) => count + 1);
      announce(t`Copied`);
    } catch {
      // There is no clipboard on pages without HTTPS, nor where it is forbidden.
      toast({ text: t`The browser does not allow copying here.`, tone: 'danger' });
    }
  };
  return (
    <IconButton label={label} className="lc:size-8! lc:text-soft lc:[&_svg]:size-4!" onClick={() => void copy()}>
      {copied > 0 ? <Check className="lc:text-accent" /> : <CopyIcon />}
    </IconButton>
  );
}
