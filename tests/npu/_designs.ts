/**
 * The designs of the real overlays in `../shared/data/xclbin`, for which streams are generated and compared.
 *
 * @module
 */

import type { OverlayDesign } from "../../kernels/npu/design.ts";
import type { Product } from "../../kernels/npu/instructions.ts";

/** A real overlay with the stream that was shipped with it. */
export interface ShippedOverlay {
  readonly name: string;
  /** Path below the data folder, without its endings. */
  readonly path: string;
  readonly design: OverlayDesign;
  readonly product: Product;
}

function wholeArray(
  [M, K, N]: readonly [number, number, number],
  [m, k, n]: readonly [number, number, number],
  output: "i16" | "i32",
): ShippedOverlay {
  const name = `${M}x${K}x${N}_${m}x${k}x${n}_4c.i16${output}`;
  return {
    name,
    path: `xclbin/whole_array/${name}`,
    design: {
      generation: "npu1",
      columns: 4,
      rows: 4,
      runtime: null,
      programs: [{ kind: "matmul", m, k, n, subtile: [4, 4, 4], input: "i16", output, reduce: K / k }],
    },
    product: { M, K, N },
  };
}

/** int16 products by MLIR-AIE's `single_core` and `whole_array` designs. */
export const SHIPPED: readonly ShippedOverlay[] = [
  {
    name: "matmul_256x256x256_64x64x32_1core",
    path: "xclbin/matmul_256x256x256_64x64x32_1core",
    design: {
      generation: "npu1",
      columns: 1,
      rows: 1,
      runtime: null,
      programs: [{
        kind: "matmul",
        m: 64,
        k: 64,
        n: 32,
        subtile: [4, 4, 4],
        input: "i16",
        output: "i32",
        reduce: 4,
      }],
    },
    product: { M: 256, K: 256, N: 256 },
  },
  wholeArray([1280, 1280, 32], [32, 32, 8], "i16"),
  wholeArray([2560, 1280, 32], [32, 32, 8], "i16"),
  wholeArray([640, 896, 64], [16, 16, 16], "i32"),
  wholeArray([640, 896, 32], [16, 8, 8], "i32"),
];
