/**
 * What `deno task calibrate` found for one model: which products `int8` rounds to what, which scales go into weights, and
 * how far the features are from F32 with it. Kept in `sotto_precision.json` beside the model.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import type { Migration } from "./migration.ts";
import type { RoundingPolicy } from "./policy.ts";

/** Name of the file that is looked for in a model's folder. */
export const PRECISION_FILE = "sotto_precision.json";

/** A calibration of one model. */
export interface Calibration {
  /** Of the encoder it was made for. */
  readonly dims: EncoderDimensions;
  /** As {@linkcode fingerprintOf} has it. */
  readonly fingerprint: string;
  /** What each product is rounded to. */
  readonly policy: RoundingPolicy;
  /** At most one for each product of a block. */
  readonly migrations: readonly Migration[];
  /** What was measured with it. */
  readonly report: CalibrationReport;
}

/** How a calibration was judged. */
export interface CalibrationReport {
  /** ISO 8601, such as `2026-03-01`. */
  readonly date: string;
  /** Relative L2 error that no clip was to exceed, such as 0.02. */
  readonly target: number;
  /** What it ran on. */
  readonly device: string;
  /** What the products were computed in there, such as `conv1d f32 (1 of 2 bf16), …`. */
  readonly arithmetic: string;
  /** At least one. */
  readonly clips: readonly ClipError[];
}

/** The error on one window of audio. */
export interface ClipError {
  /** Such as `09_long, 0 s`. */
  readonly name: string;
  /** What is heard in it, such as `speech in noise`. */
  readonly kind: string;
  /** Whether nothing was chosen by it. */
  readonly held_out: boolean;
  /** ‖features − features in F32‖ / ‖features in F32‖. */
  readonly error: number;
  /** The same with the built-in choice for `int8`. */
  readonly built_in: number;
}

/** The largest error of a calibration, held-out clips among them. */
export function worstError({ report }: Pick<Calibration, "report">): number {
  return Math.max(...report.clips.map(({ error }) => error));
}
