/**
 * The range of values that each block's integer codes should span.
 *
 * A range always contains 0, so that 0 has a code of its own: padding then adds nothing to a product. Only
 * finite values count; NaN and infinities do not widen a range. A block without any has the range [0, 0].
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { roundEven } from "./round_even.ts";
import { blockCount, requireLength, type ScaleGrid } from "./quantization.ts";

/**
 * How a range is chosen.
 *
 * - `max`: the smallest and the largest value. Nothing is clipped.
 * - `{ percentile }`: p in 50…100, nearest rank: the p-th percentile of the magnitudes, or asymmetric the
 *   (100 − p)-th and the p-th of the values. What lies outside is clipped.
 * - `mse`: the range of `max` scaled down by that factor of 1, 0.99, … 0.2 with which the squared error of
 *   the block is least (the widest of equals).
 */
export type RangeMethod = "max" | "mse" | { readonly percentile: number };

/** The ranges of all blocks: F32 [blocks] each. */
export interface Ranges {
  /** Lower ends, at most 0. */
  readonly low: Float32Array<ArrayBuffer>;
  /** Upper ends, at least 0. */
  readonly high: Float32Array<ArrayBuffer>;
}

/** What the codes can hold, and how a range becomes a scale; `mse` needs to try them. */
export interface CodeRange {
  /** Whether codes are −top … top, or −top − 1 … top with a zero point. */
  readonly symmetric: boolean;
  /** The largest code: 127 or 32767. */
  readonly top: number;
}

/** Factors tried by `mse`, from 1 down. */
const MSE_STEPS = 81;
const MSE_STEP = 0.01;

/**
 * The range of each block of a matrix.
 *
 * @param values F32 [rows, columns].
 * @throws {SottoError} E_OPTION if the values do not fill the grid, or the percentile is out of range.
 */
export function rangesOf(
  values: Float32Array,
  grid: ScaleGrid,
  method: RangeMethod,
  codes: CodeRange,
): Ranges {
  requireLength("values", values, grid.rows * grid.columns);
  if (method === "max") return maxRanges(values, grid);
  if (method === "mse") return leastErrorRanges(values, grid, codes);
  const { percentile } = method;
  if (!(percentile >= 50 && percentile <= 100)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot take a range: the percentile must be 50 to 100, got ${percentile}`,
    );
  }
  return percentileRanges(values, grid, percentile, codes.symmetric);
}

function maxRanges(values: Float32Array, grid: ScaleGrid): Ranges {
  const { rows, columns, blockRows, blockColumns } = grid;
  const { perRow, total } = blockCount(grid);
  const low = new Float32Array(total);
  const high = new Float32Array(total);
  for (let r = 0; r < rows; r++) {
    const first = Math.floor(r / blockRows) * perRow;
    for (let b = 0; b < perRow; b++) {
      let least = low[first + b];
      let most = high[first + b];
      const begin = r * columns + b * blockColumns;
      for (let i = begin; i < begin + blockColumns; i++) {
        const x = values[i];
        if (x > most && x !== Infinity) most = x;
        if (x < least && x !== -Infinity) least = x;
      }
      low[first + b] = least;
      high[first + b] = most;
    }
  }
  return { low, high };
}

function percentileRanges(
  values: Float32Array,
  grid: ScaleGrid,
  percentile: number,
  symmetric: boolean,
): Ranges {
  const { total } = blockCount(grid);
  const low = new Float32Array(total);
  const high = new Float32Array(total);
  for (let block = 0; block < total; block++) {
    const found = finiteValues(values, grid, block);
    if (found.length === 0) continue;
    const sorted = (symmetric ? found.map(Math.abs) : found).sort();
    const rank = Math.max(1, Math.ceil((percentile / 100) * sorted.length)); // nearest rank, from 1
    const upper = sorted[rank - 1];
    const lower = symmetric ? -upper : sorted[sorted.length - rank];
    low[block] = Math.min(0, lower);
    high[block] = Math.max(0, upper);
  }
  return { low, high };
}

/** The finite values of one block, copied. */
function finiteValues(values: Float32Array, grid: ScaleGrid, block: number): Float32Array {
  const { columns, blockRows, blockColumns } = grid;
  const { perRow } = blockCount(grid);
  const found = new Float32Array(blockRows * blockColumns);
  const firstRow = Math.floor(block / perRow) * blockRows;
  let count = 0;
  for (let r = firstRow; r < firstRow + blockRows; r++) {
    const begin = r * columns + (block % perRow) * blockColumns;
    for (let i = begin; i < begin + blockColumns; i++) {
      if (Number.isFinite(values[i])) found[count++] = values[i];
    }
  }
  return found.subarray(0, count);
}

function leastErrorRanges(values: Float32Array, grid: ScaleGrid, codes: CodeRange): Ranges {
  const widest = maxRanges(values, grid);
  const low = widest.low.slice();
  const high = widest.high.slice();
  for (let block = 0; block < low.length; block++) {
    const found = finiteValues(values, grid, block);
    let least = Infinity;
    for (let step = 0; step < MSE_STEPS; step++) {
      const factor = 1 - MSE_STEP * step;
      const error = squaredError(found, factor * widest.low[block], factor * widest.high[block], codes);
      if (error >= least) continue;
      least = error;
      low[block] = factor * widest.low[block];
      high[block] = factor * widest.high[block];
    }
  }
  return { low, high };
}

/** The squared error of values clipped to a range and rounded to its steps; the zero point is not rounded. */
function squaredError(
  values: Float32Array,
  low: number,
  high: number,
  { symmetric, top }: CodeRange,
): number {
  const reach = Math.max(-low, high);
  const step = symmetric ? reach / top : (high - low) / (2 * top + 1);
  if (step === 0) return 0;
  const [least, most] = symmetric ? [-reach, reach] : [low, high];
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    const kept = step * roundEven(Math.min(Math.max(x, least), most) / step);
    sum += (x - kept) ** 2;
  }
  return sum;
}
