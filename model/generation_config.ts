/**
 * `generation_config.json`: what the Hugging Face checkpoint says about decoding, under its own names.
 *
 * @module
 */

import { SottoError, type WarningSink } from "../errors.ts";
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
 * @param dims What tokens, layers and heads must lie within. Distilled models often carry the alignment heads of
 * their larger teacher: heads out of range are dropped with a warning.
 * @throws {SottoError} E_MODEL_FORMAT if an entry is of another type or a token out of the model's range.
 */
export async function readGenerationConfig(
  path: string,
  dims: DecoderDimensions,
  warn: WarningSink,
): Promise<GenerationConfig> {
  return parseGenerationConfig(await readStrictJson(path), dims, { name: path, warn });
}

/** As {@linkcode readGenerationConfig}, of parsed JSON; `name` is for messages. */
export function parseGenerationConfig(
  json: unknown,
  dims: DecoderDimensions,
  { name, warn }: { readonly name: string; readonly warn: WarningSink },
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
  const isAnyCount = count(2 ** 31);
  const arePairs = (value: unknown): value is LayerAndHead[] =>
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isAnyCount));
  const alignmentHeads = (): LayerAndHead[] | null => {
    const heads = entry("alignment_heads", "hold pairs of a layer and a head", arePairs);
    if (!heads?.some(([layer, head]) => layer >= dims.n_text_layer || head >= dims.n_text_head)) return heads;
    warn({
      code: "W_MODEL",
      message:
        `${name}: alignment_heads are not of this model (${dims.n_text_layer} layers of ${dims.n_text_head}` +
        " heads) and are ignored",
    });
    return null;
  };

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
    alignment_heads: alignmentHeads(),
    suppress_tokens: tokens("suppress_tokens"),
    begin_suppress_tokens: tokens("begin_suppress_tokens"),
    lang_to_id: namedTokens("lang_to_id"),
    task_to_id: namedTokens("task_to_id"),
    decoder_start_token_id: token("decoder_start_token_id"),
    eos_token_id: token("eos_token_id"),
    no_timestamps_token_id: token("no_timestamps_token_id"),
    prev_sot_token_id: token("prev_sot_token_id"),
    max_initial_timestamp_index: entry("max_initial_timestamp_index", "be a count up to 1500", count(1501)),
    max_length: entry("max_length", "be a count", isAnyCount),
  };
}

function refusal(name: string, key: string, rule: string, value: unknown): SottoError {
  const found = JSON.stringify(value)?.slice(0, 200);
  return new SottoError("E_MODEL_FORMAT", `Cannot use ${name}: ${key} must ${rule}, got ${found}`);
}
