/** The picture of a recording: its loudness over time, from 0 to 100, in as many bars as the API has for one. */

export const PEAKS = 64;

/** Loudnesses from 0 to 1, as many as there are, in 64 bars: of each stretch the loudest, and the loudest of all reaches the top. */
export function peaksOf(levels: readonly number[], count = PEAKS): readonly number[] {
  if (levels.length === 0) return Array.from({ length: count }, () => 0);
  const bars = Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * levels.length) / count));
    return Math.max(...levels.slice(from, to));
  });
  // What is quiet all along stays quiet: noise is not to look like a voice.
  const top = Math.max(...bars, 0.1);
  return bars.map((bar) => Math.round((Math.max(0, bar) / top) * 100));
}

/** How loud a stretch of sound is, from 0 to 1, as ears have it: of samples from -1 to 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.min(1, Math.sqrt(Math.sqrt(sum / Math.max(1, samples.length))));
}
