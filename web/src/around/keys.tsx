import { type Combination, isAppleKeyboard, keysOf } from './shortcuts';

/** A combination as keys. Its order is that of the keyboard also where the text runs from right to left. */
export function Keys({ combination }: { combination: Combination }) {
  return (
    <kbd dir="ltr" className="lc:inline-flex lc:gap-1">
      {keysOf(combination, isAppleKeyboard()).map((key) => (
        <kbd key={key} className="lc:grid lc:h-6 lc:min-w-6 lc:place-items-center lc:rounded-md lc:border lc:border-b-2 lc:border-line lc:bg-surface lc:px-1.5 lc:text-xs lc:text-text">
          {key}
        </kbd>
      ))}
    </kbd>
  );
}
