import type { ReactNode } from 'react';

/** One thing that is known of a customer. */
export function Fact({ icon, label, action, children }: { icon: ReactNode; label: string; action?: ReactNode; children: ReactNode }) {
  return (
    <div className="lc:flex lc:items-start lc:gap-3">
      <span aria-hidden className="lc:mt-0.5 lc:text-soft lc:[&_svg]:size-4.5">
        {icon}
      </span>
      <span className="lc:min-w-0 lc:grow">
        <dt className="lc:text-xs lc:text-soft">{label}</dt>
        <dd>{children}</dd>
      </span>
      {action && <dd className="lc:shrink-0">{action}</dd>}
    </div>
  );
}
