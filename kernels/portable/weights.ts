/**
 * Weights as the portable device wants them: F32 in memory, checked once.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { readFloat32 } from "../../model/read_tensor.ts";
import type { NamedShape } from "../../model/weight_names.ts";
import type { WeightStore } from "../../model/weights.ts";

/**
 * Reads one weight as F32, row-major.
 *
 * @throws {SottoError} E_MODEL_MISMATCH if it is missing or of another shape, E_MODEL_VALUES if it holds NaN
 * or infinity.
 */
export async function loadWeight(
  store: WeightStore,
  { name, shape }: NamedShape,
): Promise<Float32Array<ArrayBuffer>> {
  const values = await readFloat32(store.get(name, shape));
  let nonFinite = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) nonFinite++;
  if (nonFinite > 0) {
    throw new SottoError(
      "E_MODEL_VALUES",
      `Cannot use this checkpoint: ${nonFinite} non-finite in "${name}"`,
      {
        hint: "The file is damaged, or its training diverged; fetch it again.",
      },
    );
  }
  return values;
}
