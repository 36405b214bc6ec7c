/**
 * A text decoder of true size with random weights: time does not depend on what the numbers are.
 *
 * @module
 */

import type { DecoderPrecision } from "../kernels/device.ts";
import type { DecoderDimensions } from "../model/dimensions.ts";
import { decoderTensors } from "../model/weight_names.ts";
import { type StoredTensor, WeightStore } from "../model/weights.ts";

/** Whisper base's text decoder (openai-whisper's checkpoint `base`). */
export const BASE_DECODER: DecoderDimensions = {
  n_audio_ctx: 1500,
  n_vocab: 51865,
  n_text_ctx: 448,
  n_text_state: 512,
  n_text_head: 8,
  n_text_layer: 6,
};

/** Bytes of an F16. */
const F16_BYTES = 2;

/**
 * Writes F16 weights to a file, the same every time: signs and fractions at random, 2⁻⁷…2⁻⁴ in size, so that sums
 * stay finite.
 */
export async function randomDecoder(dims: DecoderDimensions, path: string): Promise<WeightStore> {
  const tensors: StoredTensor[] = [];
  let elements = 0;
  for (const { name, shape } of decoderTensors(dims)) {
    const count = shape.reduce((product, n) => product * n, 1);
    const byteLength = count * F16_BYTES;
    tensors.push({ name, shape, dtype: "F16", file: { path }, byteOffset: elements * F16_BYTES, byteLength });
    elements += count;
  }
  const codes = new Uint16Array(elements);
  let state = 1;
  for (let i = 0; i < elements; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruence
    const exponent = 8 + (state >>> 30) % 3;
    codes[i] = (state >>> 29 & 1) << 15 | exponent << 10 | state >>> 12 & 0x3ff;
  }
  await Deno.writeFile(path, new Uint8Array(codes.buffer));
  return new WeightStore(tensors);
}

/** Values of a group that share a scale in INT8, and its bytes (`native/cpu/rows_i8.h`). */
const GROUP = 64;
const GROUP_BYTES = GROUP + 4;

/** Bytes of `count` weights of a matrix; the rows of base are whole groups. */
const BYTES_OF: Readonly<Record<DecoderPrecision, (count: number) => number>> = {
  stored: (count) => F16_BYTES * count,
  int8: (count) => GROUP_BYTES * count / GROUP,
};

/**
 * Bytes of weights that one step reads: all matrices once, but of the embeddings a single row counts for nothing,
 * and cross-attention keys and values were computed before.
 */
export function bytesPerStep(dims: DecoderDimensions, precision: DecoderPrecision = "stored"): number {
  const read = decoderTensors(dims).filter(({ name }) =>
    !name.endsWith("positional_embedding") && !/cross_attn\.(key|value)\./.test(name)
  );
  return read.reduce((sum, { shape }) => {
    const count = shape.reduce((product, n) => product * n, 1);
    return sum + BYTES_OF[shape.length === 2 ? precision : "stored"](count);
  }, 0);
}
