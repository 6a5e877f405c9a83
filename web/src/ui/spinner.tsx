/** Something is under way; what that is, is said beside it or by `label`. */
export function Spinner({ label }: { label?: string }) {
  return (
    <span
      role={label ? 'status' : undefined}
      aria-label={label}
      className="lc:inline-block lc:size-5 lc:animate-spin lc:rounded-full lc:border-2 lc:border-line lc:border-t-accent"
    />
  );
}
