/**
 * Whispers of true shape with random weights: time and memory do not depend on what the numbers are.
 *
 * @module
 */

import type { Checkpoint } from "../model/checkpoint.ts";
import type { Dimensions } from "../model/dimensions.ts";
import { decoderTensors, encoderTensors } from "../model/weight_names.ts";
import { type StoredTensor, WeightStore } from "../model/weights.ts";

const size = (state: number, layers: number, others: Partial<Dimensions> = {}): Dimensions => ({
  n_mels: 80,
  n_audio_ctx: 1500,
  n_audio_state: state,
  n_audio_head: state / 64,
  n_audio_layer: layers,
  n_vocab: 51865,
  n_text_ctx: 448,
  n_text_state: state,
  n_text_head: state / 64,
  n_text_layer: layers,
  ...others,
});

/** Dimensions of the published multilingual checkpoints (openai-whisper: `dims` of each file). */
export const WHISPER_SIZES: Readonly<Record<string, Dimensions>> = {
  tiny: size(384, 4),
  base: size(512, 6),
  small: size(768, 12),
  medium: size(1024, 24),
  turbo: size(1280, 32, { n_mels: 128, n_vocab: 51866, n_text_layer: 4 }),
  "large-v3": size(1280, 32, { n_mels: 128, n_vocab: 51866 }),
};

/** Bytes of an F16, and values written at a time. */
const F16_BYTES = 2;
const BLOCK = 1 << 20;

/** F16 values: signs and fractions at random, 2⁻⁷…2⁻⁴ in size, so that sums stay finite; the same every time. */
function randomBlock(): Uint8Array<ArrayBuffer> {
  const codes = new Uint16Array(BLOCK);
  let state = 1;
  for (let i = 0; i < BLOCK; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruence
    const exponent = 8 + (state >>> 30) % 3;
    codes[i] = (state >>> 29 & 1) << 15 | exponent << 10 | state >>> 12 & 0x3ff;
  }
  return new Uint8Array(codes.buffer);
}

/**
 * Writes a file of F16 weights, a megabyte's worth of numbers over and over, so that no size needs more memory than
 * another.
 *
 * @returns A checkpoint without a vocabulary whose tensors lie in the file.
 */
export async function randomCheckpoint(name: string, dims: Dimensions, path: string): Promise<Checkpoint> {
  const checkpoint = checkpointAt(name, dims, path);
  const { names } = checkpoint.weights;
  const last = checkpoint.weights.find(names.at(-1)!)!;
  let left = last.byteOffset + last.byteLength;
  const block = randomBlock();
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  while (left > 0) left -= await file.write(block.subarray(0, left));
  return checkpoint;
}

/** The same checkpoint, its file written before. */
export function checkpointAt(name: string, dims: Dimensions, path: string): Checkpoint {
  const tensors: StoredTensor[] = [];
  let byteOffset = 0;
  for (const { name, shape } of [...encoderTensors(dims), ...decoderTensors(dims)]) {
    const byteLength = F16_BYTES * shape.reduce((product, n) => product * n, 1);
    tensors.push({ name, shape, dtype: "F16", file: { path }, byteOffset, byteLength });
    byteOffset += byteLength;
  }
  return {
    name,
    format: "safetensors",
    dims: { encoder: dims, decoder: dims },
    weights: new WeightStore(tensors),
    vocabulary: null,
    generation: null,
  };
}

/** A checkpoint with the encoder of one and the decoder of another, of one width. */
export function withDecoder(encoder: Checkpoint, decoder: Checkpoint): Checkpoint {
  const parts = [[encoder, "encoder."], [decoder, "decoder."]] as const;
  return {
    ...encoder,
    dims: { encoder: encoder.dims.encoder, decoder: decoder.dims.decoder },
    weights: new WeightStore(
      parts.flatMap(([{ weights }, prefix]) =>
        weights.names.filter((name) => name.startsWith(prefix)).map((name) => weights.find(name)!)
      ),
    ),
  };
}
