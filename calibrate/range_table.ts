/**
 * INT8's error on what goes into products, by how many values share a range and how the range is found. The kernels have
 * groups of 64 and the largest magnitude; the table shows what others would do.
 *
 * @module
 */

import { activationsOf, MATRIX_PRODUCTS } from "./activations.ts";
import type { Clip } from "./clips.ts";
import { groupedError, RANGE_METHODS } from "./ranges.ts";
import { aligned, perCent } from "./report.ts";
import type { Trials } from "./trials.ts";

const GROUPS = [32, 64, 128, Infinity] as const;

/** Rows looked at: one of so many that {@linkcode activationsOf} gives. */
const EVERY = 64;

/** Errors of the activations of a block in the middle, over all clips. */
export async function rangeTable(trials: Trials, clips: readonly Clip[]): Promise<string> {
  const block = Math.floor(trials.dims.n_audio_layer / 2);
  const rows: string[][] = [];
  for (const product of MATRIX_PRODUCTS) {
    const { values, columns } = await activationsOf(trials, { block, product }, clips);
    const kept = values.filter((_, i) => Math.floor(i / columns) % EVERY === 0);
    for (const method of RANGE_METHODS) {
      const errors = GROUPS.map((group) => perCent(groupedError(kept, columns, { group, method })));
      rows.push([`${product}, ${method}`, ...errors]);
    }
  }
  const groups = GROUPS.map((group) => Number.isFinite(group) ? `${group}` : "row");
  return aligned([[`INT8 error of inputs, block ${block}, %`, ...groups], ...rows]);
}
