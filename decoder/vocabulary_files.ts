/**
 * Reads the vocabularies that checkpoints bring along into one form: bytes by id, order of merging, names.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { binaryString } from "./byte_pair_encoding.ts";
import {
  isSpecialName,
  openaiLanguageCount,
  openaiSpecialNames,
  TIMESTAMP_TOKENS,
  timestampName,
} from "./special_tokens.ts";

/** A vocabulary, whatever file it came from. */
export interface Vocabulary {
  /** Bytes of the regular tokens by id; undefined where the id is not one of them. */
  readonly tokens: readonly (Uint8Array | undefined)[];
  /** Order of merging by merged bytes (a binary string); null where the ids are in that order. */
  readonly ranks: ReadonlyMap<string, number> | null;
  /** Ids of all other tokens by name, `<|endoftext|>` among them. */
  readonly names: ReadonlyMap<string, number>;
}

function malformed(rule: string): SottoError {
  return new SottoError("E_TOKENIZER", `Cannot read the vocabulary: ${rule}`, {
    hint: "Take the tokenizer files that belong to the model.",
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** More ids than any Whisper has (51,866), with room: bounds what a hostile file can make us allocate. */
const MOST_IDS = 1 << 20;

function checkedId(id: unknown, name: string): number {
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MOST_IDS) {
    throw malformed(
      `ids must be integers of 0…${MOST_IDS - 1}, ${JSON.stringify(name)} has ${JSON.stringify(id)}`,
    );
  }
  return id;
}

/**
 * GPT-2's printable stand-ins for bytes, character → byte: printable Latin-1 characters stand for themselves,
 * the other 68 bytes are U+0100 and following in order.
 */
const STAND_INS: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  const map = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) map.set(String.fromCharCode(printable(byte) ? byte : next++), byte);
  return map;
})();

/** The bytes that a name of `vocab.json` stands for. */
function standInBytes(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => {
    const byte = STAND_INS.get(character);
    if (byte === undefined) {
      throw malformed(`token ${JSON.stringify(name)} has a character that stands for no byte`);
    }
    return byte;
  });
}

/** `Ġthe cat` or `["Ġthe", "cat"]`, as two names. */
function mergePair(merge: unknown): [string, string] {
  const pair = typeof merge === "string" ? merge.split(" ") : merge;
  if (!Array.isArray(pair) || pair.length !== 2 || pair.some((part) => typeof part !== "string")) {
    throw malformed(`a merge is a pair of tokens, found ${JSON.stringify(merge)}`);
  }
  return pair as [string, string];
}

/** A vocabulary out of its names, its merges in order, and the tokens added to it. */
function fromNames(
  vocab: unknown,
  merges: readonly unknown[],
  added: Iterable<readonly [string, unknown]>,
): Vocabulary {
  if (!isRecord(vocab)) throw malformed("it needs a table of ids by token");
  const names = new Map<string, number>();
  for (const [name, id] of added) names.set(name, checkedId(id, name));
  const tokens: (Uint8Array | undefined)[] = [];
  for (const [name, value] of Object.entries(vocab)) {
    const id = checkedId(value, name);
    if (names.has(name) || isSpecialName(name)) {
      names.set(name, id);
      continue;
    }
    if (tokens[id]) throw malformed(`every token needs an id of its own, ${id} stands for two`);
    tokens[id] = standInBytes(name);
  }
  const ranks = new Map<string, number>();
  for (const merge of merges) {
    const merged = binaryString(standInBytes(mergePair(merge).join("")));
    if (!ranks.has(merged)) ranks.set(merged, ranks.size);
  }
  return { tokens: Array.from(tokens), ranks: inOrder(tokens, ranks) ? null : ranks, names };
}

/**
 * Whether ids follow the order of merging, as they do in every vocabulary of OpenAI's. openai-whisper then
 * merges by id, which may join parts that no merge lists; so must we.
 */
function inOrder(tokens: readonly (Uint8Array | undefined)[], ranks: ReadonlyMap<string, number>): boolean {
  let last = -1;
  for (const bytes of tokens) {
    if (!bytes || bytes.length < 2) continue;
    const rank = ranks.get(binaryString(bytes));
    if (rank === undefined || rank < last) return false;
    last = rank;
  }
  return true;
}

/**
 * Reads a `tokenizer.json` of Hugging Face.
 *
 * @param json The parsed file.
 * @throws {SottoError} E_TOKENIZER if it is not a byte-level BPE vocabulary.
 */
export function readTokenizerJson(json: unknown): Vocabulary {
  const model = isRecord(json) ? json.model : undefined;
  if (!isRecord(json) || !isRecord(model) || !Array.isArray(model.merges)) {
    throw malformed("tokenizer.json needs model.vocab and model.merges");
  }
  const added = json.added_tokens ?? [];
  if (!Array.isArray(added) || added.some((token) => !isRecord(token) || typeof token.content !== "string")) {
    throw malformed("added_tokens of tokenizer.json needs a content in every entry");
  }
  return fromNames(model.vocab, model.merges, added.map((token) => [token.content, token.id] as const));
}

/**
 * Reads `vocab.json`, `merges.txt` and, where there is one, `added_tokens.json`.
 *
 * @param vocab The parsed vocab.json: id by token.
 * @param merges The text of merges.txt: a pair a line, first line a comment.
 * @param added The parsed added_tokens.json: id by token.
 * @throws {SottoError} E_TOKENIZER if one of them is malformed.
 */
export function readVocabAndMerges(vocab: unknown, merges: string, added: unknown = {}): Vocabulary {
  if (!isRecord(added)) throw malformed("added_tokens.json needs a table of ids by token");
  const lines = merges.split(/\r?\n/).filter((line, i) =>
    line !== "" && !(i === 0 && line.startsWith("#version"))
  );
  return fromNames(vocab, lines, Object.entries(added));
}

/**
 * Takes the tokens of a ggml file or of a file of ranks: bytes in the order of their ids. Special tokens may
 * be among them by name.
 */
export function readTokenList(list: readonly Uint8Array[]): Vocabulary {
  const names = new Map<string, number>();
  const tokens = list.map((bytes, id) => {
    const text = binaryString(bytes);
    if (!isSpecialName(text)) return bytes;
    names.set(text, id);
    return undefined;
  });
  return { tokens, ranks: null, names };
}

/**
 * Completes a vocabulary that does not name all its special tokens, and checks its size.
 *
 * Without `<|startoftranscript|>` all are numbered in OpenAI's order, from `<|endoftext|>` or the first free
 * id on; without timestamps these follow `<|notimestamps|>`.
 *
 * @param size Ids that the model has (n_vocab).
 * @throws {SottoError} E_TOKENIZER if the vocabulary does not have just that many.
 */
export function completeVocabulary(vocabulary: Vocabulary, size: number): Vocabulary {
  const names = new Map(vocabulary.names);
  const fill = (first: number, missing: readonly string[]) =>
    missing.forEach((name, i) => names.set(name, first + i));
  if (!names.has("<|startoftranscript|>")) {
    const regular = names.get("<|endoftext|>") ?? vocabulary.tokens.length;
    fill(regular, openaiSpecialNames(openaiLanguageCount(size, regular)));
  }
  const noTimestamps = names.get("<|notimestamps|>");
  if (noTimestamps !== undefined && !names.has(timestampName(0))) {
    fill(noTimestamps + 1, Array.from({ length: TIMESTAMP_TOKENS }, (_, i) => timestampName(i)));
  }
  const ids = new Set(names.values());
  vocabulary.tokens.forEach((bytes, id) => bytes && ids.add(id));
  const last = [...ids].reduce((most, id) => Math.max(most, id), -1);
  if (ids.size !== size || last !== size - 1) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot use this vocabulary: it has ${ids.size} tokens, model needs ${size}`,
      {
        hint: "Take the tokenizer files that belong to the model.",
      },
    );
  }
  return { ...vocabulary, names };
}
