/**
 * Text decoders with OpenAI's true vocabularies and random weights, the same that `tests/data/decoder/make_random.py`
 * gives openai-whisper: a counter-based generator of 32-bit integers makes them, so none has to be kept.
 */

import type { DecoderDimensions } from "../../model/dimensions.ts";
import { decoderTensors } from "../../model/weight_names.ts";
import { type StoredTensor, WeightStore } from "../../model/weights.ts";

/** Numbers of −1…1 in steps of 2⁻²³: a 32-bit finalizer over the index, keyed by the FNV-1a hash of the name. */
export function uniform(name: string, count: number): Float32Array<ArrayBuffer> {
  let key = 2166136261;
  for (const byte of new TextEncoder().encode(name)) key = Math.imul(key ^ byte, 16777619);
  return Float32Array.from({ length: count }, (_, i) => {
    let x = Math.imul(i, 0x9e3779b9) + key | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    x ^= x >>> 15;
    return (x >>> 8) / 2 ** 23 - 1;
  });
}

const EMBEDDING = "decoder.token_embedding.weight";

/** Powers of two, so that a product with them is exact. */
function scaleOf(name: string): number {
  if (name === EMBEDDING) return 1;
  if (name.endsWith("positional_embedding")) return 2;
  return name.endsWith(".bias") ? 0.125 : 0.5;
}

function weights(name: string, count: number, { state, eot }: { state: number; eot: number }): Float32Array {
  // Logits are products with the embeddings: a step towards that of the end makes texts end.
  if (name === "decoder.ln.bias") {
    return uniform(EMBEDDING, (eot + 1) * state).slice(-state).map((value) => value * 0.4375);
  }
  if (name.endsWith("ln.weight")) return new Float32Array(count).fill(1);
  return uniform(name, count).map((value) => value * scaleOf(name));
}

/** All weights of a text decoder, F32 in memory. */
export function randomWeights(dims: DecoderDimensions, eot: number): WeightStore {
  const tensors = decoderTensors(dims).map(({ name, shape }): StoredTensor => {
    const count = shape.reduce((product, n) => product * n, 1);
    const bytes = new Uint8Array(
      weights(name, count, { state: dims.n_text_state, eot }).buffer as ArrayBuffer,
    );
    return { name, shape, dtype: "F32", file: { bytes }, byteOffset: 0, byteLength: bytes.length };
  });
  return new WeightStore(tensors);
}
