/**
 * The low-pass filter of the resampler: a sinc under a Kaiser window.
 *
 * Formulas: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function" (1974);
 * also Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.5.
 *
 * @module
 */

/** How far below the pass band the stop band lies. */
export const STOP_BAND_DECIBELS = 100; // 10 more than promised, for float rounding and phase interpolation

/** β of a Kaiser window for that attenuation (valid above 50 dB). */
const BETA = 0.1102 * (STOP_BAND_DECIBELS - 8.7);

/**
 * Half the length of a filter with a transition band that wide.
 *
 * @param transition Width of the transition band, as a fraction of the sampling rate.
 * @returns Samples on either side of the centre.
 */
export function kaiserHalfWidth(transition: number): number {
  return (STOP_BAND_DECIBELS - 7.95) / (2.285 * 2 * Math.PI * transition) / 2;
}

/**
 * The windowed sinc at a distance from its centre; its integral is about 1.
 *
 * @param distance Samples from the centre.
 * @param cutoff Middle of the transition band (−6 dB), as a fraction of the sampling rate.
 * @param halfWidth Where the window ends, in samples.
 */
export function windowedSinc(distance: number, cutoff: number, halfWidth: number): number {
  const r = distance / halfWidth;
  if (r <= -1 || r >= 1) return 0;
  const x = 2 * Math.PI * cutoff * distance;
  const sinc = x === 0 ? 1 : Math.sin(x) / x;
  return 2 * cutoff * sinc * besselI0(BETA * Math.sqrt(1 - r * r)) / besselI0(BETA);
}

/** The modified Bessel function of order zero, by its power series (all terms positive, so it is exact). */
function besselI0(x: number): number {
  const quarter = x * x / 4;
  let sum = 1;
  for (let term = 1, k = 1; term > sum * 1e-17; k++) sum += term *= quarter / (k * k);
  return sum;
}
