/** ‖actual − expected‖ / ‖expected‖: the share of a result that is wrong. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return actual.length === expected.length ? Math.sqrt(difference / norm) : NaN;
}
