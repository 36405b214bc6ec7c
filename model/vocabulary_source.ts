/**
 * Where a checkpoint's tokenizer comes from: data only, read and checked for size; the decoder makes a tokenizer
 * of it.
 *
 * @module
 */

import { join } from "node:path";
import { SottoError } from "../errors.ts";
import { exists, readText } from "./folder.ts";
import { isJsonObject, readStrictJson } from "./strict_json.ts";

/** Vocabulary data of a checkpoint, by the kind of file that holds it. */
export type VocabularySource =
  /** Hugging Face's `tokenizer.json`, parsed. */
  | {
    readonly kind: "tokenizer.json";
    readonly path: string;
    readonly json: Readonly<Record<string, unknown>>;
  }
  /** Hugging Face's older files: `vocab.json` and `added_tokens.json` parsed, `merges.txt` as text. */
  | {
    readonly kind: "vocab+merges";
    readonly path: string;
    readonly vocab: Readonly<Record<string, unknown>>;
    readonly merges: string;
    /** Token → id; empty where there is no `added_tokens.json`. */
    readonly addedTokens: Readonly<Record<string, unknown>>;
  }
  /** The tokens in a ggml file, as bytes, by id; it has no merges and often no special tokens. */
  | { readonly kind: "ggml"; readonly path: string; readonly tokens: readonly Uint8Array<ArrayBuffer>[] }
  /** openai-whisper's own ranks, which come with sotto. */
  | { readonly kind: "bundled"; readonly name: "multilingual" | "gpt2" };

/** The kinds that a Hugging Face folder may hold. */
type FolderVocabulary = Extract<VocabularySource, { readonly kind: "tokenizer.json" | "vocab+merges" }>;

/** Timestamp tokens, 0.00 s to 30.00 s in steps of 0.02 s; many tokenizer files leave them out. */
const TIMESTAMP_TOKENS = 1501;

/** n_vocab of openai-whisper's English-only models: their ranks are GPT-2's. */
const ENGLISH_VOCABULARY = 51864;

/** n_vocab of openai-whisper's multilingual models with 99 and 100 languages. */
const MULTILINGUAL_VOCABULARIES: readonly number[] = [51865, 51866];

/**
 * The vocabulary files of a Hugging Face folder, or null if it has none.
 *
 * @throws {SottoError} E_TOKENIZER if they are malformed or do not fit `vocabularySize`.
 */
export async function folderVocabulary(
  folder: string,
  vocabularySize: number,
): Promise<VocabularySource | null> {
  const source = await tokenizerJson(folder) ?? await vocabAndMerges(folder);
  if (source) {
    const size = sourceSize(source);
    if (!fits(size, vocabularySize)) {
      throw new SottoError(
        "E_TOKENIZER",
        `Cannot use ${source.path}: it has ${size} tokens, the model needs ${vocabularySize} (or that less ${TIMESTAMP_TOKENS} timestamps)`,
        { hint: "Use the tokenizer files that came with this model." },
      );
    }
  }
  return source;
}

/**
 * The vocabulary for weights that are one file: a fitting `tokenizer.json` in the same folder, else what the file
 * holds itself, else the bundled ranks for that size.
 *
 * A `tokenizer.json` of another size belongs to another model that lies there too, and is passed over.
 *
 * @param folder Where the file lies; null for bytes in memory.
 * @param own What the weights file holds, or null.
 * @throws {SottoError} E_TOKENIZER if there is none.
 */
export async function fileVocabulary(
  folder: string | null,
  own: VocabularySource | null,
  vocabularySize: number,
): Promise<VocabularySource> {
  const beside = folder === null ? null : await tokenizerJson(folder);
  if (beside && fits(sourceSize(beside), vocabularySize)) return beside;
  if (own) return own;
  if (vocabularySize === ENGLISH_VOCABULARY) return { kind: "bundled", name: "gpt2" };
  if (MULTILINGUAL_VOCABULARIES.includes(vocabularySize)) return { kind: "bundled", name: "multilingual" };
  throw new SottoError(
    "E_TOKENIZER",
    `Cannot find a vocabulary of ${vocabularySize} tokens: the bundled ones have ${ENGLISH_VOCABULARY} and ${
      MULTILINGUAL_VOCABULARIES.join(", ")
    }`,
    { hint: `Put the model's tokenizer.json into ${folder ?? "the folder of the weights"}` },
  );
}

async function tokenizerJson(folder: string): Promise<FolderVocabulary | null> {
  const path = join(folder, "tokenizer.json");
  if (!await exists(path)) return null;
  return { kind: "tokenizer.json", path, json: await jsonObject(path) };
}

async function vocabAndMerges(folder: string): Promise<FolderVocabulary | null> {
  const [path, merges, added] = ["vocab.json", "merges.txt", "added_tokens.json"].map((name) =>
    join(folder, name)
  );
  if (!await exists(path) || !await exists(merges)) return null;
  return {
    kind: "vocab+merges",
    path,
    vocab: await jsonObject(path),
    merges: await readText(merges),
    addedTokens: await exists(added) ? await jsonObject(added) : {},
  };
}

async function jsonObject(path: string): Promise<Record<string, unknown>> {
  const json = await readStrictJson(path).catch((error) => {
    if (!(error instanceof SottoError && error.code === "E_MODEL_FORMAT")) throw error;
    throw new SottoError("E_TOKENIZER", error.message, { cause: error });
  });
  if (isJsonObject(json)) return json;
  throw new SottoError("E_TOKENIZER", `Cannot use ${path}: it must hold a JSON object`);
}

function fits(size: number, vocabularySize: number): boolean {
  return size === vocabularySize || size + TIMESTAMP_TOKENS === vocabularySize;
}

/** One more than the highest token id. */
function sourceSize(source: FolderVocabulary): number {
  if (source.kind === "vocab+merges") {
    return highestId([...Object.values(source.vocab), ...Object.values(source.addedTokens)], source.path) + 1;
  }
  const { model, added_tokens: added } = source.json;
  const vocab = isJsonObject(model) && isJsonObject(model.vocab) ? Object.values(model.vocab) : null;
  const ids = Array.isArray(added) ? added.map((token) => isJsonObject(token) ? token.id : null) : null;
  if (!vocab || !ids) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot use ${source.path}: it must hold model.vocab and added_tokens`,
    );
  }
  return highestId([...vocab, ...ids], source.path) + 1;
}

function highestId(ids: readonly unknown[], path: string): number {
  let highest = -1;
  for (const id of ids) {
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      throw new SottoError(
        "E_TOKENIZER",
        `Cannot use ${path}: a token's id must be a count, got ${JSON.stringify(id)}`,
      );
    }
    highest = Math.max(highest, id as number);
  }
  return highest;
}
