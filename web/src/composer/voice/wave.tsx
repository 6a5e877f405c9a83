/** The loudness of a recording as bars; what was played of it is coloured. */
import { memo } from 'react';

export const Wave = memo(function Wave({ peaks, played = 0, className }: { peaks: readonly number[]; /** From 0 to 1. */ played?: number; className?: string }) {
  return (
    <svg aria-hidden viewBox={`0 0 ${peaks.length * 4} 32`} preserveAspectRatio="none" className={className}>
      {peaks.map((peak, index) => {
        const height = Math.max(3, (peak / 100) * 30);
        return (
          <rect
            // Bars have no names; they only grow at the end.
            key={`bar ${index}`}
            x={index * 4 + 0.5}
            y={16 - height / 2}
            width={2.4}
            height={height}
            rx={1.2}
            fill={index / peaks.length < played ? 'var(--wlc-accent)' : 'var(--wlc-field)'}
          />
        );
      })}
    </svg>
  );
});
