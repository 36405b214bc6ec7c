/**
 * OpenAI's two vocabularies, for checkpoints that come without one.
 *
 * They are modules of JSON, so importing them needs no permission to read and works by URL.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** `multilingual`: 50,257 regular tokens; `gpt2`: 50,256, for the English-only models. */
export type BundledVocabulary = "multilingual" | "gpt2";

/** What a packed vocabulary holds (`pack.ts` writes it). */
export interface PackedVocabulary {
  /** Licence of the contents. */
  readonly notice: string;
  /** How many tokens. */
  readonly tokens: number;
  /** Base64 of gzip of, for each token in the order of ids, one byte of length and its bytes. */
  readonly data: string;
}

/**
 * The bytes of all regular tokens in the order of their ids, which is that of merging.
 *
 * @throws {SottoError} E_TOKENIZER if the packed data is damaged.
 */
export async function bundledTokens(name: BundledVocabulary): Promise<Uint8Array<ArrayBuffer>[]> {
  const module = name === "multilingual"
    ? await import("./multilingual.json", { with: { type: "json" } })
    : await import("./gpt2.json", { with: { type: "json" } });
  return await unpackTokens(module.default);
}

/** The tokens of a packed vocabulary. Throws E_TOKENIZER if it is damaged. */
export async function unpackTokens(packed: PackedVocabulary): Promise<Uint8Array<ArrayBuffer>[]> {
  const zipped = Uint8Array.from(atob(packed.data), (character) => character.charCodeAt(0));
  const unzipped = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(unzipped).arrayBuffer());
  const tokens: Uint8Array<ArrayBuffer>[] = [];
  for (let i = 0; i < bytes.length; i += 1 + bytes[i]) tokens.push(bytes.subarray(i + 1, i + 1 + bytes[i]));
  if (tokens.length !== packed.tokens) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot unpack the vocabulary: it must hold ${packed.tokens} tokens, found ${tokens.length}`,
    );
  }
  return tokens;
}
