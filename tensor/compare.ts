/**
 * How far one tensor is from another.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { drawnBy } from "../notebook/display.ts";

/** Errors counted by size: `counts[i]` of them are in decade i. */
export interface ErrorHistogram {
  /** |error| / root mean square of the expected values: upper bounds of the bins but the last, rising. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. An error equal to a bound is below it. */
  readonly counts: readonly number[];
}

/**
 * An accuracy report: plain data, safe in JSON, which a notebook shows as figures and a histogram. Every mean
 * is over pairs in which both values are finite; a figure that does not exist (0 / 0, or no finite pair) is
 * null, and so is an infinite one, such as the ratio for equal tensors.
 */
export interface Comparison {
  /** Pairs of values. */
  readonly count: number;
  /** Pairs with a NaN or an infinity in either; all figures below leave them out. */
  readonly nonFinite: number;
  /** Mean squared error. */
  readonly mse: number | null;
  /** Mean absolute error. */
  readonly mae: number | null;
  /** Largest absolute error. */
  readonly max: number | null;
  /** Index of the first error of that size. */
  readonly maxIndex: number | null;
  /** ‖actual − expected‖ / ‖expected‖. */
  readonly relativeL2: number | null;
  /** 10 · log10(Σ expected² / Σ error²), in dB. */
  readonly snr: number | null;
  /** Σ actual·expected / (‖actual‖ · ‖expected‖). */
  readonly cosine: number | null;
  /** Errors by size. */
  readonly histogram: ErrorHistogram;
}

/** Bounds of the histogram: from a millionth of the root mean square to ten times it. */
const BOUNDS: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

/**
 * Compares two tensors of one shape, in double precision.
 *
 * @param actual What was computed.
 * @param expected What is right.
 * @throws {SottoError} E_OPTION if their lengths differ.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compare } from "./mod.ts";
 *
 * const { mae, max, maxIndex } = compare([1, 2, 3], [1, 2, 5]);
 * assert.deepEqual([mae, max, maxIndex], [2 / 3, 2, 2]);
 * ```
 */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>): Comparison {
  if (actual.length !== expected.length) {
    throw new SottoError(
      "E_OPTION",
      `Cannot compare: both tensors must have as many values, got ${actual.length} and ${expected.length}`,
    );
  }
  let finite = 0, absolute = 0, noise = 0, signal = 0, power = 0, product = 0, max = 0;
  let maxIndex: number | null = null;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i];
    const e = expected[i];
    const difference = Math.abs(a - e);
    if (!Number.isFinite(difference)) continue;
    finite++;
    absolute += difference;
    noise += difference ** 2;
    signal += e ** 2;
    power += a ** 2;
    product += a * e;
    if (difference > max || maxIndex === null) {
      max = difference;
      maxIndex = i;
    }
  }
  const comparison: Comparison = {
    count: expected.length,
    nonFinite: expected.length - finite,
    mse: figure(noise / finite),
    mae: figure(absolute / finite),
    max: maxIndex === null ? null : max,
    maxIndex,
    relativeL2: figure(Math.sqrt(noise / signal)),
    snr: figure(10 * Math.log10(signal / noise)),
    cosine: figure(product / Math.sqrt(signal * power)),
    histogram: histogramOf(actual, expected, Math.sqrt(signal / finite)),
  };
  return drawnBy(
    comparison,
    async (it) => await (await import("../notebook/comparison_plot.ts")).drawComparison(it),
  );
}

function histogramOf(actual: ArrayLike<number>, expected: ArrayLike<number>, scale: number): ErrorHistogram {
  const counts: number[] = new Array(BOUNDS.length + 1).fill(0);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!Number.isFinite(difference)) continue;
    let bin = 0;
    // Products instead of a quotient: where all expected values are 0, equal values are in the first bin,
    // others in the last.
    while (bin < BOUNDS.length && difference > BOUNDS[bin] * scale) bin++;
    counts[bin]++;
  }
  return { bounds: BOUNDS, counts };
}

/** JSON has no NaN and no infinity. */
const figure = (value: number): number | null => Number.isFinite(value) ? value : null;
