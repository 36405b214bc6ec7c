/**
 * The tensors of a checkpoint against those that Whisper has: none missing, none of another shape, none left over.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { CheckpointDimensions } from "./checkpoint.ts";
import type { Dimensions } from "./dimensions.ts";
import { decoderTensors, encoderTensors } from "./weight_names.ts";
import { type StoredTensor, WeightStore } from "./weights.ts";

/** Every Whisper's heads are this wide; it stands in where a file does not say how many heads there are. */
const HEAD_WIDTH = 64;

/** Tensors some files carry besides: the token embedding once more, and buffers that are computed. */
const IGNORED: ReadonlySet<string> = new Set(["proj_out.weight", "decoder.mask", "alignment_heads"]);

/**
 * A store of exactly the tensors the model has, under openai-whisper's names.
 *
 * @param tensors What the file holds, already under openai-whisper's names as far as they have one.
 * @throws {SottoError} E_MODEL_MISMATCH if a tensor is missing, of another shape, there twice, or not Whisper's.
 */
export function wholeWeights(
  tensors: readonly StoredTensor[],
  dims: CheckpointDimensions,
  name: string,
): WeightStore {
  const found = new WeightStore(tensors);
  const needed = [...encoderTensors(dims.encoder), ...(dims.decoder ? decoderTensors(dims.decoder) : [])];
  const store = new WeightStore(needed.map(({ name, shape }) => found.get(name, shape)));
  const seen = new Set<string>();
  for (const tensor of tensors) {
    if (seen.has(tensor.name)) throw mismatch(name, `two tensors are ${tensor.name}`);
    seen.add(tensor.name);
    if (store.has(tensor.name) || IGNORED.has(tensor.name)) continue;
    if (!isKeyBias(tensor, store)) {
      throw mismatch(name, `it holds ${tensor.name}, which this model does not have`);
    }
  }
  return store;
}

/**
 * Some fine-tunes store a bias of the keys, which Whisper does not have. It adds the same q·b to every score of a
 * row, and softmax takes no notice of that: leaving it out is exact.
 */
function isKeyBias({ name, shape }: StoredTensor, store: WeightStore): boolean {
  const weight = name.endsWith(".key.bias") ? store.find(name.replace(/bias$/, "weight")) : undefined;
  return weight !== undefined && shape.length === 1 && shape[0] === weight.shape[0];
}

/**
 * Dimensions by the shapes of the tensors, for a file that does not state them. The decoder's are left out
 * where no tensor of it is there.
 *
 * @throws {SottoError} E_MODEL_MISMATCH if the tensors they are read from are missing or of another rank.
 */
export function inferDimensions(tensors: readonly StoredTensor[], name: string): Partial<Dimensions> {
  const store = new WeightStore(tensors);
  const shape = (tensor: string, rank: number): readonly number[] => {
    const found = store.find(tensor)?.shape;
    if (found?.length === rank) return found;
    throw mismatch(name, `need ${tensor} with ${rank} axes, got ${found ? `[${found}]` : "none"}`);
  };
  const layers = (side: string): number => {
    let count = 0;
    while (store.has(`${side}.blocks.${count}.attn_ln.weight`)) count++;
    return count;
  };
  const heads = (width: number): number => {
    if (width % HEAD_WIDTH === 0) return width / HEAD_WIDTH;
    throw mismatch(
      name,
      `width ${width} is no multiple of ${HEAD_WIDTH}, so the number of heads cannot be told`,
    );
  };

  const [width, bands] = shape("encoder.conv1.weight", 3);
  const encoder = {
    n_mels: bands,
    n_audio_ctx: shape("encoder.positional_embedding", 2)[0],
    n_audio_state: width,
    n_audio_head: heads(width),
    n_audio_layer: layers("encoder"),
  };
  if (!store.names.some((tensor) => tensor.startsWith("decoder."))) return encoder;
  const [vocabulary, textWidth] = shape("decoder.token_embedding.weight", 2);
  return {
    ...encoder,
    n_vocab: vocabulary,
    n_text_ctx: shape("decoder.positional_embedding", 2)[0],
    n_text_state: textWidth,
    n_text_head: heads(textWidth),
    n_text_layer: layers("decoder"),
  };
}

function mismatch(name: string, rule: string): SottoError {
  return new SottoError("E_MODEL_MISMATCH", `Cannot use ${name}: ${rule}`, {
    hint: "Use a checkpoint in Whisper's architecture, whole and of one size.",
  });
}
