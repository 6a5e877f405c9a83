import { useLingui } from '@lingui/react/macro';
import { ExternalLink, Megaphone } from 'lucide-react';
import type { Referral as Origin } from './referral_of';

export function Referral({ referral }: { referral: Origin }) {
  const { t } = useLingui();
  const { headline, body, url, isAd } = referral;
  return (
    <section className="lc:border-t lc:border-line lc:px-4 lc:py-4">
      <h3 className="lc:flex lc:items-center lc:gap-2 lc:pb-2 lc:font-semibold">
        <Megaphone aria-hidden className="lc:size-4.5 lc:text-soft lc:rtl:-scale-x-100" />
        {isAd ? t`Came from an ad` : t`Came from a post`}
      </h3>
      {headline && (
        <p dir="auto" className="lc:font-medium lc:wrap-anywhere">
          {headline}
        </p>
      )}
      {body && (
        <p dir="auto" className="lc:line-clamp-4 lc:text-soft lc:wrap-anywhere">
          {body}
        </p>
      )}
      {url && (
        <a href={url} target="_blank" rel="noopener noreferrer" className="lc:mt-1.5 lc:inline-flex lc:min-h-6 lc:items-center lc:gap-1 lc:text-link lc:underline">
          {isAd ? t`Open the ad` : t`Open the post`}
          <ExternalLink aria-hidden className="lc:size-3.5 lc:rtl:-scale-x-100" />
        </a>
      )}
    </section>
  );
}
