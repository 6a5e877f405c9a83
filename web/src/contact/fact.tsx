import type { ReactNode } from 'react';

/** One thing that is known of a customer. */
export function Fact({ icon, label, action, children }: { icon: ReactNode; label: string; action?: ReactNode; children: ReactNode }) {
  return (
    <div className="lc:relative lc:ps-8 lc:pe-9">
      <dt className="lc:text-xs lc:text-soft">
        <span aria-hidden className="lc:absolute lc:start-0 lc:top-0.5 lc:[&_svg]:size-4.5">
          {icon}
        </span>
        {label}
      </dt>
      <dd>{children}</dd>
      {action && <dd className="lc:absolute lc:end-0 lc:top-0.5">{action}</dd>}
    </div>
  );
}
