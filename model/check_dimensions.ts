/**
 * Dimensions from a file, checked before anything is sized by them.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { CheckpointDimensions } from "./checkpoint.ts";
import type { Dimensions } from "./dimensions.ts";

/**
 * Smallest and largest value accepted for each dimension: room around every Whisper there is (large-v3: 1280
 * wide, 20 heads, 32 layers, 51,866 tokens), yet small enough that no product of them overflows.
 */
const LIMITS: Readonly<Record<keyof Dimensions, readonly [least: number, most: number]>> = {
  n_mels: [80, 128],
  n_audio_ctx: [1, 1500],
  n_audio_state: [1, 8192],
  n_audio_head: [1, 128],
  n_audio_layer: [1, 128],
  n_vocab: [1, 1 << 20],
  n_text_ctx: [1, 4096],
  n_text_state: [1, 8192],
  n_text_head: [1, 128],
  n_text_layer: [1, 128],
};

const ENCODER_KEYS = ["n_mels", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer"] as const;
const DECODER_KEYS = [
  "n_audio_ctx",
  "n_vocab",
  "n_text_ctx",
  "n_text_state",
  "n_text_head",
  "n_text_layer",
] as const;

/** The names of all ten dimensions, in openai-whisper's order. */
export const DIMENSION_NAMES: readonly (keyof Dimensions)[] = Object.keys(LIMITS) as (keyof Dimensions)[];

/**
 * Checks dimensions as a file states them and splits them by part.
 *
 * @param dims All ten, or those of the encoder alone.
 * @param name The file, for messages.
 * @throws {SottoError} E_MODEL_FORMAT if one is missing or out of range; E_MODEL_MISMATCH if they contradict
 * Whisper's architecture.
 */
export function checkDimensions(
  dims: Readonly<Partial<Record<keyof Dimensions, unknown>>>,
  name: string,
  encoderOnly = false,
): CheckpointDimensions {
  const pick = <K extends keyof Dimensions>(keys: readonly K[]): Pick<Dimensions, K> =>
    Object.fromEntries(keys.map((key) => [key, checkedCount(dims[key], key, name)])) as Pick<Dimensions, K>;
  const mismatch = (rule: string): SottoError =>
    new SottoError("E_MODEL_MISMATCH", `Cannot use ${name}: ${rule}`, {
      hint: "It is not Whisper's architecture.",
    });

  const encoder = pick(ENCODER_KEYS);
  if (encoder.n_mels !== 80 && encoder.n_mels !== 128) {
    throw mismatch(`n_mels must be 80 or 128, got ${encoder.n_mels}`);
  }
  if (encoder.n_audio_state % encoder.n_audio_head !== 0) {
    throw mismatch(
      `n_audio_state ${encoder.n_audio_state} must be a multiple of n_audio_head ${encoder.n_audio_head}`,
    );
  }
  if (encoderOnly) return { encoder, decoder: null };

  const decoder = pick(DECODER_KEYS);
  if (decoder.n_text_state % decoder.n_text_head !== 0) {
    throw mismatch(
      `n_text_state ${decoder.n_text_state} must be a multiple of n_text_head ${decoder.n_text_head}`,
    );
  }
  if (decoder.n_text_state !== encoder.n_audio_state) {
    throw mismatch(
      `n_text_state must equal n_audio_state ${encoder.n_audio_state}, got ${decoder.n_text_state}`,
    );
  }
  return { encoder, decoder };
}

function checkedCount(value: unknown, key: keyof Dimensions, name: string): number {
  const [least, most] = LIMITS[key];
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
    return value as number;
  }
  const found = value === undefined ? "none" : (JSON.stringify(value) ?? typeof value).slice(0, 100);
  throw new SottoError(
    "E_MODEL_FORMAT",
    `Cannot use ${name}: ${key} must be ${least} to ${most}, got ${found}`,
  );
}
