/**
 * Whisper's normalization of log-mel frames: at most 80 dB below the loudest, then shifted and scaled.
 *
 * @module
 */

/** How far below the loudest value others may lie, in units of log10 power: 80 dB. */
const RANGE = 8;

/** The largest of the values, NaN aside; −∞ if there are none. */
export function loudest(logMel: Float32Array, atLeast = -Infinity): number {
  let max = atLeast;
  for (let i = 0; i < logMel.length; i++) if (logMel[i] > max) max = logMel[i];
  return max;
}

/** `(max(x, loudest − 8) + 4) / 4` of one value of log10 mel power. */
export function normalized(x: number, loudest: number): number {
  return (Math.max(x, loudest - RANGE) + 4) / 4;
}
