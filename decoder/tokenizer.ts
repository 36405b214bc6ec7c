/**
 * Text to the tokens of a Whisper vocabulary and back.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { VocabularySource } from "../model/vocabulary_source.ts";
import { BytePairEncoding } from "./byte_pair_encoding.ts";
import { nonSpeechTokens } from "./non_speech_tokens.ts";
import type { Task } from "./options.ts";
import { findSpecialTokens, type SpecialTokens, TIMESTAMP_TOKENS } from "./special_tokens.ts";
import { bundledTokens, type BundledVocabulary } from "./vocabulary/bundled.ts";
import {
  completeVocabulary,
  readTokenizerJson,
  readTokenList,
  readVocabAndMerges,
  type Vocabulary,
} from "./vocabulary_files.ts";

/** What a vocabulary's file does not say about the model it belongs to. */
export interface TokenizerOptions {
  /** Ids that the model has: n_vocab. */
  readonly vocabularySize: number;
  /**
   * Whether the model's prompt names a language and a task; `.en` models' does not, although their
   * vocabulary has the tokens. Default: the vocabulary has languages and is not the English-only one of
   * 51,864 tokens.
   */
  readonly multilingual?: boolean;
}

/** n_vocab of OpenAI's English-only checkpoints; the multilingual ones have 51,865 or more. */
const ENGLISH_ONLY_SIZE = 51_864;

/** The least run of tokens that makes whole characters. */
export interface TextPart {
  /** What they spell. */
  readonly text: string;
  /** One, or as many as share a character. */
  readonly tokens: readonly number[];
}

/** A vocabulary with its special tokens. Immutable; share it freely. */
export class Tokenizer {
  /** Ids of the special tokens. */
  readonly special: SpecialTokens;
  /** Number of ids. */
  readonly vocabularySize: number;
  /** Whether prompts name a language and a task. */
  readonly multilingual: boolean;
  readonly #encoding: BytePairEncoding;
  readonly #names: ReadonlyMap<string, number>;
  readonly #nameBytes: ReadonlyMap<number, Uint8Array>;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #nonSpeech: readonly number[] | null = null;

  /**
   * Makes a tokenizer of a vocabulary.
   *
   * @param vocabulary Bytes and names; names may be incomplete (see `completeVocabulary`).
   * @throws {SottoError} E_TOKENIZER if it does not fit the model or lacks a special token.
   */
  constructor(vocabulary: Vocabulary, options: TokenizerOptions) {
    const { tokens, ranks, names } = completeVocabulary(vocabulary, options.vocabularySize);
    this.#encoding = new BytePairEncoding(tokens, ranks);
    this.#names = names;
    const utf8 = new TextEncoder();
    this.#nameBytes = new Map(Array.from(names, ([name, id]) => [id, utf8.encode(name)]));
    this.special = findSpecialTokens(names);
    this.vocabularySize = options.vocabularySize;
    this.multilingual = options.multilingual ??
      (this.special.languages.size > 0 && options.vocabularySize !== ENGLISH_ONLY_SIZE);
    checkOrder(this.special, this.vocabularySize);
  }

  /** From whatever vocabulary a checkpoint brings along. Throws E_TOKENIZER as the constructor. */
  static async from(source: VocabularySource, options: TokenizerOptions): Promise<Tokenizer> {
    switch (source.kind) {
      case "tokenizer.json":
        return Tokenizer.fromTokenizerJson(source.json, options);
      case "vocab+merges":
        return Tokenizer.fromVocabAndMerges(source, options);
      case "ggml":
        return Tokenizer.fromGgml(source.tokens, options);
      case "bundled":
        return await Tokenizer.fromBundled(source.name, options);
    }
  }

  /** From a parsed `tokenizer.json`. Throws E_TOKENIZER as the constructor. */
  static fromTokenizerJson(json: unknown, options: TokenizerOptions): Tokenizer {
    return new Tokenizer(readTokenizerJson(json), options);
  }

  /** From parsed `vocab.json`, the text of `merges.txt`, parsed `added_tokens.json`. Throws E_TOKENIZER as the constructor. */
  static fromVocabAndMerges(
    files: { readonly vocab: unknown; readonly merges: string; readonly addedTokens?: unknown },
    options: TokenizerOptions,
  ): Tokenizer {
    return new Tokenizer(readVocabAndMerges(files.vocab, files.merges, files.addedTokens), options);
  }

  /** From the tokens that a ggml file lists, in the order of their ids. Throws E_TOKENIZER as the constructor. */
  static fromGgml(tokens: readonly Uint8Array[], options: TokenizerOptions): Tokenizer {
    return new Tokenizer(readTokenList(tokens), options);
  }

  /** From OpenAI's ranks, for checkpoints that come without a vocabulary. Throws E_TOKENIZER as the constructor. */
  static async fromBundled(name: BundledVocabulary, options: TokenizerOptions): Promise<Tokenizer> {
    const vocabulary = readTokenList(await bundledTokens(name));
    return new Tokenizer(vocabulary, { multilingual: name === "multilingual", ...options });
  }

  /**
   * The tokens of a text.
   *
   * @throws {SottoError} E_OPTION if the text spells a special token, which would be a command to the model.
   */
  encode(text: string): number[] {
    const spelled = text.match(/<\|[^|]+\|>/g)?.find((name) => this.#names.has(name));
    if (spelled) {
      throw new SottoError(
        "E_OPTION",
        `Cannot encode this text: it must not spell a special token, found ${spelled}`,
        {
          hint: "Remove it, or put a space into it.",
        },
      );
    }
    return this.#encoding.encode(text);
  }

  /** The text of tokens, timestamps left out. Bytes that are not UTF-8 become U+FFFD. */
  decode(tokens: Iterable<number>): string {
    const { timestampBegin } = this.special;
    return this.decodeWithTimestamps(Array.from(tokens).filter((token) => token < timestampBegin));
  }

  /** The text of tokens, timestamps spelled as `<|1.08|>`. Bytes that are not UTF-8 become U+FFFD. */
  decodeWithTimestamps(tokens: Iterable<number>): string {
    // Joined first: a call of the decoder costs more than a token's bytes.
    const parts = Array.from(tokens, (token) => this.bytesOf(token));
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return this.#utf8.decode(bytes);
  }

  /**
   * The bytes of a token; of a special one, its name.
   *
   * @throws {SottoError} E_TOKENIZER if the vocabulary has no such id.
   */
  bytesOf(token: number): Uint8Array {
    const bytes = this.#encoding.bytesOf(token) ?? this.#nameBytes.get(token);
    if (!bytes) {
      throw new SottoError(
        "E_TOKENIZER",
        `Cannot decode token ${token}: ids are 0…${this.vocabularySize - 1}`,
      );
    }
    return bytes;
  }

  /** The id of a special or added token by name (`<|de|>`), or undefined. */
  idOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  /** Cuts tokens where their text has whole characters; each part is the least that has. */
  splitOnCharacters(tokens: readonly number[]): TextPart[] {
    const whole = this.decodeWithTimestamps(tokens);
    const parts: TextPart[] = [];
    let pending: number[] = [];
    let offset = 0;
    for (const token of tokens) {
      pending.push(token);
      const text = this.decodeWithTimestamps(pending);
      const torn = text.indexOf("\ufffd");
      // U+FFFD that is in the whole text as well is not torn: these bytes are no character at all.
      if (torn >= 0 && whole[offset + torn] !== "\ufffd") continue;
      parts.push({ text, tokens: pending });
      pending = [];
      offset += text.length;
    }
    return parts;
  }

  /**
   * The tokens a transcript starts with: start, then for multilingual models language and task.
   *
   * @param language Code of a language in `special.languages`; ignored by English-only models.
   */
  startSequence(language: string, task: Task): number[] {
    const { sot, transcribe, translate, languages } = this.special;
    if (!this.multilingual) return [sot];
    const token = languages.get(language);
    if (token === undefined) {
      throw new SottoError(
        "E_OPTION",
        `Cannot start a transcript: the model knows ${[...languages.keys()].join(", ")}, got ${language}`,
      );
    }
    return [sot, token, task === "translate" ? translate : transcribe];
  }

  /** Tokens of speaker tags and sound descriptions, ascending: what `suppressTokens: "-1"` stands for. */
  get nonSpeechTokens(): readonly number[] {
    this.#nonSpeech ??= nonSpeechTokens((text) => this.#encoding.encode(text));
    return this.#nonSpeech;
  }
}

/** The rules of decoding rest on this order: text below `<|endoftext|>`, timestamps above all else. */
function checkOrder(special: SpecialTokens, size: number): void {
  const { eot, timestampBegin } = special;
  if (timestampBegin !== size - TIMESTAMP_TOKENS) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot use this vocabulary: its last ${TIMESTAMP_TOKENS} tokens must be timestamps, <|0.00|> is ${timestampBegin} of ${size}`,
    );
  }
  const others = [
    special.sot,
    special.prev,
    special.noTimestamps,
    special.transcribe,
    special.translate,
    ...special.languages.values(),
  ];
  if (others.some((id) => id < eot || id > timestampBegin)) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot use this vocabulary: special tokens must lie between <|endoftext|> (${eot}) and <|0.00|> (${timestampBegin})`,
    );
  }
}
