import { type ReactNode, useId } from 'react';

/** A part of the settings with its title. */
export function Section({ title, children }: { title: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="lc:flex lc:flex-col lc:gap-2">
      <h3 id={id} className="lc:font-semibold">
        {title}
      </h3>
      {children}
    </section>
  );
}
