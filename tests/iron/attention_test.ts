/**
 * Attention from end to end: our stream's descriptors, the design's memory tiles and cores on the stand-in, and the tile
 * kernels as plain C++ must give the bits that the modelled NPU gives.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ironCatalogue, type IronEntry } from "../../kernels/iron/catalogue_lines.ts";
import { attentionProgram, attentionRows, attentionStream } from "../../kernels/npu/attention_stream.ts";
import { kernelNamed } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { wholeBufferStream } from "../../kernels/npu/instructions.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { float32ToBf16 } from "../../tensor/half.ts";
import { testOnEmulatedNpu } from "../npu/_with_emulated.ts";
import { partsIn } from "../npu/_xclbin_parts.ts";
import { CAN_RUN, describe } from "./_iron.ts";
import { type Launch, onDesign, onModel } from "./_launch.ts";

/** Numbers that are nearly normal, with standard deviation `scale`. */
function normal(count: number, scale: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: count }, () => scale * 2 * (next() + next() + next()));
}

async function requireSame(entry: IronEntry, xclbin: Uint8Array<ArrayBuffer>, launch: Launch): Promise<void> {
  const expected = await onModel(xclbin, launch);
  const { recipe } = (await describe(entry.name))[entry.name];
  const result = await onDesign(entry, recipe, launch);
  assert.ok(new Set(expected).size > 50, "the results are not all alike");
  assert.ok(Buffer.from(result).equals(Buffer.from(expected)), "bits differ");
}

if (!CAN_RUN) console.log("skipped: attention of the designs (no python3, or no g++)");
for (const entry of ironCatalogue().entries) {
  if (!CAN_RUN) continue;
  if (entry.operation === "attention") {
    // T within a tile, of whole tiles, and beyond; pieces of work that do not fill the last round.
    for (const [T, heads, scale] of [[50, 1, undefined], [128, 3, undefined], [333, 2, 1]] as const) {
      testOnEmulatedNpu(`${entry.name} of kernels/iron gives the model's bits at T = ${T}`, [], async () => {
        const { design } = kernelNamed(entry.name);
        assert.ok(design !== null);
        const rows = attentionRows(design, attentionProgram(design).program, T);
        const values = normal(rows * 3 * 64 * heads, 1.5, T);
        await requireSame(entry, modelledXclbin(design), {
          stream: attentionStream(design, [{ T, heads, scale }]),
          inputs: [new Uint8Array(float32ToBf16(values).buffer)],
          outputBytes: 2 * rows * 64 * heads,
        });
      });
    }
  }
  if (entry.operation === "attention_tile") {
    const data = ["xclbin/seed_kernels/attention_int8_64x64"];
    testOnEmulatedNpu(`${entry.name} of kernels/iron gives the model's bits`, data, async (folder) => {
      const values = normal(3 * 64 * 64, 24, 7);
      await requireSame(entry, packXclbin(partsIn(folder, "main_")), {
        stream: wholeBufferStream(
          entry,
          [{ argument: 0, bytes: 3 * 64 * 64 }],
          [{ argument: 1, bytes: 64 * 64 }],
        ),
        inputs: [new Uint8Array(Int8Array.from(values).buffer)],
        outputBytes: 64 * 64,
      });
    });
  }
}
