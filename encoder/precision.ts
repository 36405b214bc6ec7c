/**
 * How exact the encoder has to be. A policy names an accuracy; the device picks the arithmetic that is fastest
 * within it.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** `f32`: every product in 32-bit floating point. `auto`: the fastest policy that is safe for transcripts. */
export type Precision = "auto" | "f32";

/** Every policy there is. */
export const PRECISIONS: readonly Precision[] = ["auto", "f32"];

/**
 * Passes if there is such a policy.
 *
 * @throws {SottoError} E_OPTION naming those there are.
 */
export function requirePrecision(precision: string): asserts precision is Precision {
  if ((PRECISIONS as readonly string[]).includes(precision)) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot compute in "${precision}": precision must be one of ${PRECISIONS.join(", ")}`,
  );
}
