/**
 * `generation_config.json`: what the Hugging Face checkpoint says about decoding, under its own names.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { DecoderDimensions } from "./dimensions.ts";
import { isJsonObject, readStrictJson } from "./strict_json.ts";

/** A head of the decoder's cross-attention. */
export type LayerAndHead = readonly [layer: number, head: number];

/** The entries sotto knows, checked against the model's size; null where the file has none. */
export interface GenerationConfig {
  /** Whether the model knows more than English. */
  readonly is_multilingual: boolean | null;
  /** Cross-attention heads that follow the audio in time. */
  readonly alignment_heads: readonly LayerAndHead[] | null;
  /** Tokens never produced. */
  readonly suppress_tokens: readonly number[] | null;
  /** Tokens never produced first. */
  readonly begin_suppress_tokens: readonly number[] | null;
  /** Token of each language, by its code (`en`, without `<|` and `|>`). */
  readonly lang_to_id: ReadonlyMap<string, number> | null;
  /** Token of each task: `transcribe`, `translate`. */
  readonly task_to_id: ReadonlyMap<string, number> | null;
  /** `<|startoftranscript|>` */
  readonly decoder_start_token_id: number | null;
  /** `<|endoftext|>` */
  readonly eos_token_id: number | null;
  /** `<|notimestamps|>` */
  readonly no_timestamps_token_id: number | null;
  /** `<|startofprev|>` */
  readonly prev_sot_token_id: number | null;
  /** Latest first timestamp, in steps of 0.02 s. */
  readonly max_initial_timestamp_index: number | null;
  /** Longest sequence, in tokens. */
  readonly max_length: number | null;
}

/**
 * Reads and checks a generation config.
 *
 * @param dims What tokens, layers and heads must lie within.
 * @throws {SottoError} E_MODEL_FORMAT if an entry is of another type or out of the model's range.
 */
export async function readGenerationConfig(path: string, dims: DecoderDimensions): Promise<GenerationConfig> {
  return parseGenerationConfig(await readStrictJson(path), dims, path);
}

/** As {@linkcode readGenerationConfig}, of parsed JSON; `name` is for messages. */
export function parseGenerationConfig(
  json: unknown,
  dims: DecoderDimensions,
  name: string,
): GenerationConfig {
  if (!isJsonObject(json)) throw refusal(name, "it", "be an object", json);

  /** The entry, null where it is absent or null, else checked by `accepts`. */
  const entry = <T>(key: string, rule: string, accepts: (value: unknown) => value is T): T | null => {
    const value = json[key] ?? null;
    if (value === null) return null;
    if (!accepts(value)) throw refusal(name, key, rule, value);
    return value;
  };
  const count = (below: number) => (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < below;
  const isToken = count(dims.n_vocab);
  const areTokens = (value: unknown): value is number[] => Array.isArray(value) && value.every(isToken);
  const areNamedTokens = (value: unknown): value is Record<string, number> =>
    isJsonObject(value) && Object.values(value).every(isToken);
  const [isLayer, isHead] = [count(dims.n_text_layer), count(dims.n_text_head)];
  const areHeads = (value: unknown): value is LayerAndHead[] =>
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && isLayer(pair[0]) && isHead(pair[1]));

  const tokenRule = `hold tokens below ${dims.n_vocab}`;
  const token = (key: string): number | null => entry(key, tokenRule, isToken);
  const tokens = (key: string): number[] | null => entry(key, tokenRule, areTokens);
  const namedTokens = (key: string): Map<string, number> | null => {
    const named = entry(key, tokenRule, areNamedTokens);
    return named &&
      new Map(Object.entries(named).map(([text, id]) => [text.replace(/^<\|(.*)\|>$/, "$1"), id]));
  };
  return {
    is_multilingual: entry("is_multilingual", "be a boolean", (value) => typeof value === "boolean"),
    alignment_heads: entry(
      "alignment_heads",
      `hold pairs of a layer below ${dims.n_text_layer} and a head below ${dims.n_text_head}`,
      areHeads,
    ),
    suppress_tokens: tokens("suppress_tokens"),
    begin_suppress_tokens: tokens("begin_suppress_tokens"),
    lang_to_id: namedTokens("lang_to_id"),
    task_to_id: namedTokens("task_to_id"),
    decoder_start_token_id: token("decoder_start_token_id"),
    eos_token_id: token("eos_token_id"),
    no_timestamps_token_id: token("no_timestamps_token_id"),
    prev_sot_token_id: token("prev_sot_token_id"),
    max_initial_timestamp_index: entry("max_initial_timestamp_index", "be a count up to 1500", count(1501)),
    max_length: entry("max_length", "be a count", count(2 ** 31)),
  };
}

function refusal(name: string, key: string, rule: string, value: unknown): SottoError {
  const found = JSON.stringify(value)?.slice(0, 200);
  return new SottoError("E_MODEL_FORMAT", `Cannot use ${name}: ${key} must ${rule}, got ${found}`);
}
