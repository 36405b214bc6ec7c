/**
 * A checkpoint: everything a Whisper is, from whichever files, before a number of it is read.
 *
 * @module
 */

import type { DecoderDimensions, EncoderDimensions } from "./dimensions.ts";
import type { GenerationConfig } from "./generation_config.ts";
import type { VocabularySource } from "./vocabulary_source.ts";
import type { WeightStore } from "./weights.ts";

/** How a checkpoint is stored. */
export type CheckpointFormat = "hugging-face" | "openai" | "ggml" | "safetensors";

/** Dimensions of what a checkpoint holds. */
export interface CheckpointDimensions {
  /** Of the encoder, which every checkpoint has. */
  readonly encoder: EncoderDimensions;
  /** null for weights of the encoder alone. */
  readonly decoder: DecoderDimensions | null;
}

/** A whole, checked checkpoint. */
export interface Checkpoint {
  /** The path it was opened from, for messages. */
  readonly name: string;
  /** How it is stored. */
  readonly format: CheckpointFormat;
  /** Dimensions, checked. */
  readonly dims: CheckpointDimensions;
  /** Every tensor that `encoderTensors` and (with a decoder) `decoderTensors` name, in their shapes, and no other. */
  readonly weights: WeightStore;
  /** Where the tokenizer comes from; null where there is no decoder. */
  readonly vocabulary: VocabularySource | null;
  /** null where the checkpoint has none: the decoder then goes by the vocabulary. */
  readonly generation: GenerationConfig | null;
}
