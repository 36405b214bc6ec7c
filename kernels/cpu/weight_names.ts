/**
 * Gives the weights in native messages their names: libsotto_cpu knows them by their place in a table.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { StoredTensor } from "../../model/weights.ts";

/** Runs a task; an error of it that speaks of "weight 12" then speaks of that tensor by name. */
export async function namingWeights<T>(tensors: readonly StoredTensor[], task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    const message = error.message.replace(/\bweight (\d+)\b/, (text, index) => {
      const tensor = tensors[Number(index)];
      return tensor ? `weight "${tensor.name}"` : text;
    });
    throw new SottoError(error.code, message, { hint: error.hint, cause: error });
  }
}
