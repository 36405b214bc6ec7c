/**
 * Ranges: which magnitude of some values becomes the largest code of INT8.
 *
 * @module
 */

/** The largest magnitude; the one that 1 of 100 exceed; the one with the least squared error of rounding. */
export const RANGE_METHODS = ["max", "percentile", "mse"] as const;

/** One of them. */
export type RangeMethod = typeof RANGE_METHODS[number];

/** Largest code. */
const CODES = 127;

/** Share of values that a percentile keeps. */
const KEPT = 0.99;

/** Parts of the largest magnitude that are tried as a range. */
const TRIED = [1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5] as const;

/** The range of some values; 0 if all are 0. */
export function rangeOf(values: Float32Array, method: RangeMethod): number {
  const magnitudes = values.map(Math.abs);
  const most = magnitudes.reduce((most, value) => Math.max(most, value), 0);
  switch (method) {
    case "max":
      return most;
    case "percentile":
      return magnitudes.sort()[Math.ceil(KEPT * values.length) - 1];
    case "mse": {
      const errors = TRIED.map((part) => squaredError(values, part * most));
      return TRIED[errors.indexOf(Math.min(...errors))] * most;
    }
  }
}

/** Sum of squared differences between values and what their INT8 codes stand for, those beyond the range cut to it. */
export function squaredError(values: Float32Array, range: number): number {
  if (range === 0) return 0;
  const scale = range / CODES;
  let sum = 0;
  for (const value of values) {
    const code = Math.min(CODES, Math.max(-CODES, Math.round(value / scale)));
    sum += (code * scale - value) ** 2;
  }
  return sum;
}

/**
 * Relative L2 error of rows in INT8 when `group` neighbouring values of a row share a range.
 *
 * @param rows F32 [rows, columns], row-major.
 */
export function groupedError(
  rows: Float32Array,
  columns: number,
  { group, method }: { readonly group: number; readonly method: RangeMethod },
): number {
  let wrong = 0;
  let all = 0;
  for (let row = 0; row < rows.length; row += columns) {
    for (let first = 0; first < columns; first += group) {
      const values = rows.subarray(row + first, row + Math.min(first + group, columns));
      wrong += squaredError(values, rangeOf(values, method));
      for (const value of values) all += value * value;
    }
  }
  return Math.sqrt(wrong / (all || 1));
}
