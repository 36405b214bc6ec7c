/**
 * Tells one encoder from another by a few of its weights.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import { readFloat32 } from "../model/read_tensor.ts";
import { encoderTensors } from "../model/weight_names.ts";
import { BLOCK_SIZES, type StoredTensor, type WeightStore } from "../model/weights.ts";

/** Values looked at of each tensor: two blocks of ggml's formats. */
const LOOKED_AT = 64;

/** The same in every Whisper of a size, and stored in more than one way. */
const SAME_IN_ALL = "encoder.positional_embedding";

/**
 * SHA-256, in hexadecimal digits, of an encoder's dimensions and the first values of each tensor as F32. One checkpoint
 * has one fingerprint in whichever format it is kept, as long as that format keeps its values; quantized it has another.
 *
 * @throws {SottoError} E_MODEL_MISMATCH if a tensor is missing; what reading one throws.
 */
export async function fingerprintOf(dims: EncoderDimensions, weights: WeightStore): Promise<string> {
  const { n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer } = dims;
  const parts: Uint8Array<ArrayBuffer>[] = [
    new Uint8Array(new Int32Array([n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer]).buffer),
  ];
  for (const { name, shape } of encoderTensors(dims)) {
    if (name === SAME_IN_ALL) continue;
    const values = await readFloat32(beginning(weights.get(name, shape)));
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function beginning(tensor: StoredTensor): StoredTensor {
  const [elements, bytes] = BLOCK_SIZES[tensor.dtype];
  const stored = tensor.shape.reduce((product, n) => product * n, 1);
  const blocks = Math.floor(Math.min(LOOKED_AT, stored) / elements);
  return { ...tensor, shape: [blocks * elements], byteLength: blocks * bytes };
}
