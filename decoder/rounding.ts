/**
 * Rounding as openai-whisper rounds: halves go to the even neighbour (Python's `round()`).
 *
 * @module
 */

/** The integer nearest to `value`; of two equally near, the even one. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return fraction < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
