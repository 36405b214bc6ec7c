/**
 * The parts of the containers in `../shared/data/xclbin`.
 *
 * @module
 */

import { join } from "node:path";
import type { XclbinParts } from "../../kernels/xclbin/write.ts";

/** The parts in a folder; `prefix` is `main_` for the seed's kernels. */
export function partsIn(folder: string, prefix = ""): XclbinParts {
  const text = (name: string) => Deno.readTextFileSync(join(folder, `${prefix}${name}.json`));
  return {
    partition: text("aie_partition"),
    kernels: text("kernels"),
    memory: text("mem_topology"),
    pdi: (fileName) => Deno.readFileSync(join(folder, fileName)),
  };
}

/** The folders of the predecessor's kernels. */
export const SEED_KERNELS = [
  "attention_int8_64x64",
  "gelu_bf16",
  "layernorm_bf16",
  "matmul_bf16_64x64",
  "softmax_bf16",
];
