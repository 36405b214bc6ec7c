/**
 * Products from end to end: our stream's descriptors, the design's memory tiles and cores on the stand-in, and the tile
 * kernels as plain C++ must give the bits that the modelled NPU gives.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ironCatalogue } from "../../kernels/iron/catalogue_lines.ts";
import { type GemmKernel, gemmKernelNamed, programOf } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { bytesOf, type TileType } from "../../kernels/npu/design.ts";
import { granularityOf } from "../../kernels/npu/instructions.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { testOnEmulatedNpu } from "../npu/_with_emulated.ts";
import { CAN_RUN, describe } from "./_iron.ts";
import { onDesign, onModel } from "./_launch.ts";

/** Random bytes that are finite numbers of the type, whatever the layout. */
function numbers(type: TileType, count: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
  if (type === "bf16") {
    return new Uint8Array(Uint16Array.from({ length: count }, () => next() & 0x83ff | 0x3d00).buffer);
  }
  const bytes = Uint8Array.from({ length: bytesOf(type, count) }, next);
  // Exponents of bfp16 lie nine bytes apart in every layout.
  if (type === "bfp16") { for (let i = 0; i < bytes.length; i += 9) bytes[i] = 116 + bytes[i] % 16; }
  return bytes;
}

/** What is multiplied: a whole launch where that is fixed, else more than one batch of a stream. */
function sizeOf(kernel: GemmKernel): { M: number; K: number; N: number } {
  const unit = granularityOf(kernel.design, programOf(kernel));
  return kernel.launch ?? { M: 3 * unit.M, K: 3 * unit.K, N: 2 * unit.N };
}

if (!CAN_RUN) console.log("skipped: products of the designs (no python3, or no g++)");
for (const entry of ironCatalogue().entries) {
  if (entry.operation !== "gemm" || !CAN_RUN) continue;
  testOnEmulatedNpu(`${entry.name} of kernels/iron gives the model's bits`, [], async () => {
    const kernel = gemmKernelNamed(entry.name);
    const { input, output } = programOf(kernel);
    const plan = planProduct(kernel, sizeOf(kernel));
    const { M, K, N } = plan.launch;
    const launch = {
      stream: planStream(plan),
      inputs: [numbers(input, M * K, 1), numbers(input, K * N, 2)],
      outputBytes: bytesOf(output, M * N),
    };
    const expected = await onModel(modelledXclbin(kernel.design), launch);
    const { recipe } = (await describe(entry.name))[entry.name];
    const result = await onDesign(entry, recipe, launch);
    assert.ok(new Set(expected).size > 100, "the product is not all alike");
    assert.ok(Buffer.from(result).equals(Buffer.from(expected)), "bits differ");
  });
}
