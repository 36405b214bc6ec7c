/**
 * The ten numbers that make a Whisper, under the names openai-whisper gives them (`whisper/model.py`,
 * `ModelDimensions`).
 *
 * @module
 */

/** Dimensions of a Whisper checkpoint. All are positive integers. */
export interface Dimensions {
  /** Mel bands of the input: 80, or 128 from large-v3 on. */
  readonly n_mels: number;
  /** Frames after the convolutions, 20 ms each: 1500. */
  readonly n_audio_ctx: number;
  /** Width of the encoder, C. */
  readonly n_audio_state: number;
  /** Attention heads of the encoder, H; C / H is their width D. */
  readonly n_audio_head: number;
  /** Blocks of the encoder. */
  readonly n_audio_layer: number;
  /** Tokens of the vocabulary, V. */
  readonly n_vocab: number;
  /** Longest token sequence of the decoder: 448. */
  readonly n_text_ctx: number;
  /** Width of the decoder. */
  readonly n_text_state: number;
  /** Attention heads of the decoder. */
  readonly n_text_head: number;
  /** Blocks of the decoder. */
  readonly n_text_layer: number;
}

/** The part of {@linkcode Dimensions} that the encoder needs. */
export type EncoderDimensions = Pick<
  Dimensions,
  "n_mels" | "n_audio_ctx" | "n_audio_state" | "n_audio_head" | "n_audio_layer"
>;

/** The part of {@linkcode Dimensions} that the text decoder needs. */
export type DecoderDimensions = Pick<
  Dimensions,
  "n_audio_ctx" | "n_vocab" | "n_text_ctx" | "n_text_state" | "n_text_head" | "n_text_layer"
>;
