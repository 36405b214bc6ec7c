/**
 * Scales to move out of activations into weights, of the ranges that both have in each channel.
 *
 * @module
 */

import {
  MIGRATED_PRODUCTS,
  type MigratedProduct,
  type Migration,
  writtenScale,
} from "../encoder/migration.ts";
import { readFloat32 } from "../model/read_tensor.ts";
import { encoderTensors } from "../model/weight_names.ts";
import { activationsOf } from "./activations.ts";
import type { Clip } from "./clips.ts";
import { RANGE_METHODS, type RangeMethod, rangeOf } from "./ranges.ts";
import type { Trials } from "./trials.ts";

/** Ranges of the channels of one product. */
export interface ChannelRanges {
  readonly block: number;
  readonly product: MigratedProduct;
  /** Of the activations, by method. */
  readonly activations: Readonly<Record<RangeMethod, Float64Array>>;
  /** Largest magnitude of the weights that a channel meets. */
  readonly weights: Float64Array;
}

/** Takes the ranges of every product that a layer norm comes before. */
export async function channelRanges(trials: Trials, clips: readonly Clip[]): Promise<ChannelRanges[]> {
  const shapes = new Map(encoderTensors(trials.dims).map(({ name, shape }) => [name, shape]));
  const found: ChannelRanges[] = [];
  for (let block = 0; block < trials.dims.n_audio_layer; block++) {
    for (const product of MIGRATED_PRODUCTS) {
      const rows = await activationsOf(trials, { block, product }, clips);
      const channels = Array.from({ length: rows.columns }, (_, channel) => columnOf(rows, channel));
      const activations = Object.fromEntries(
        RANGE_METHODS.map((method) => [
          method,
          Float64Array.from(channels, (values) => rangeOf(values, method)),
        ]),
      ) as Record<RangeMethod, Float64Array>;
      const weights = new Float64Array(rows.columns);
      for (const name of rows.weights) {
        const values = await readFloat32(trials.weights.get(name, shapes.get(name)!));
        values.forEach((value, i) =>
          weights[i % rows.columns] = Math.max(weights[i % rows.columns], Math.abs(value))
        );
      }
      found.push({ block, product, activations, weights });
    }
  }
  return found;
}

function columnOf(rows: { readonly values: Float32Array; readonly columns: number }, column: number) {
  const { values, columns } = rows;
  return Float32Array.from({ length: values.length / columns }, (_, row) => values[row * columns + column]);
}

/** Most that a scale may be away from 1, either way. */
const MOST_SCALE = 100;

/**
 * s = activations^α / weights^(1−α), divided by the geometric mean of its channels.
 *
 * @param strength α, 0…1: 0.5 shares the spread evenly.
 */
export function migrationOf(
  { block, product, activations, weights }: ChannelRanges,
  method: RangeMethod,
  strength: number,
): Migration {
  const logs = activations[method].map((range, channel) =>
    // A channel that is always 0 has no range to share.
    range > 0 && weights[channel] > 0
      ? strength * Math.log(range) - (1 - strength) * Math.log(weights[channel])
      : NaN
  );
  const counted = logs.filter((log) => !Number.isNaN(log));
  const mean = counted.reduce((sum, log) => sum + log, 0) / (counted.length || 1);
  const scales = Float32Array.from(logs, (log) => {
    const scale = Number.isNaN(log) ? 1 : Math.exp(log - mean);
    return writtenScale(Math.min(MOST_SCALE, Math.max(1 / MOST_SCALE, scale)));
  });
  return { block, product, scales };
}

/** A way to find scales. */
export interface MigrationTrial {
  readonly method: RangeMethod;
  readonly strength: number;
  readonly products: readonly MigratedProduct[];
}

/** What is tried. Weaker ones did worse on Whisper base than none at all. */
export const MIGRATION_TRIALS: readonly MigrationTrial[] = RANGE_METHODS.flatMap((method) =>
  [0.5, 0.65, 0.8].map((strength) => ({ method, strength, products: MIGRATED_PRODUCTS }))
);

/** Such as `max, strength 0.65, qkv and mlp1`. */
export function migrationName({ method, strength, products }: MigrationTrial): string {
  return `${method}, strength ${strength}, ${products.join(" and ")}`;
}
