/**
 * A text decoder of true size with random weights: time does not depend on what the numbers are.
 *
 * @module
 */

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

/**
 * Bytes of weights that one step reads: all matrices once, but of the embeddings a single row counts for nothing,
 * and cross-attention keys and values were computed before.
 */
export function bytesPerStep(dims: DecoderDimensions): number {
  const read = decoderTensors(dims).filter(({ name }) =>
    !name.endsWith("positional_embedding") && !/cross_attn\.(key|value)\./.test(name)
  );
  return F16_BYTES * read.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
