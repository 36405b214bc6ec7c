/**
 * Noise that is the same in every run.
 *
 * @module
 */

/** How its power falls with frequency: not at all, with 1/f, with 1/f². */
export type NoiseColour = "white" | "pink" | "brown";

/** Corners of the low-pass filters whose sum falls about as 1/√f, in parts of the sampling rate: an octave and a half apart. */
const PINK_POLES = [0.998, 0.99, 0.96, 0.85, 0.5] as const;

/** Leaves brown noise without drift below some 10 Hz. */
const BROWN_POLE = 0.996;

/**
 * Noise within −1…1.
 *
 * @param length Samples.
 * @param seed A whole number other than 0; another one gives other noise.
 */
export function noiseOf(length: number, colour: NoiseColour, seed: number): Float32Array<ArrayBuffer> {
  const random = uniform(seed);
  const samples = Float32Array.from({ length }, random);
  if (colour === "white") return samples;
  const poles = colour === "pink" ? PINK_POLES : [BROWN_POLE];
  const states = new Float64Array(poles.length);
  let most = 0;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    poles.forEach((pole, k) => {
      states[k] = pole * states[k] + Math.sqrt(1 - pole) * samples[i];
      sum += states[k];
    });
    samples[i] = sum;
    most = Math.max(most, Math.abs(sum));
  }
  return samples.map((value) => value / most);
}

/** −1…1: xorshift32 (Marsaglia 2003). */
function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state | 0) / 2 ** 31;
  };
}
