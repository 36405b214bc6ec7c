/**
 * Packs a `.tiktoken` file (a base64 token, a space, its rank, a line each) into a module of JSON:
 *
 *     deno run --allow-read --allow-write decoder/vocabulary/pack.ts whisper/assets/multilingual.tiktoken decoder/vocabulary/multilingual.json
 *
 * The files come from the openai-whisper package, `whisper/assets/`; see NOTICE.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import type { PackedVocabulary } from "./bundled.ts";

/** The packed form of the text of a `.tiktoken` file. Throws if a rank is missing. */
export function packRanks(text: string): PackedVocabulary {
  const tokens: Uint8Array[] = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [token, rank] = line.split(" ");
    tokens[Number(rank)] = Uint8Array.from(
      atob(token.replace(/^=+$/, "")),
      (character) => character.charCodeAt(0),
    );
  }
  const bytes: number[] = [];
  for (let rank = 0; rank < tokens.length; rank++) {
    const token = tokens[rank];
    if (!token || token.length > 255) {
      throw new RangeError(`Cannot pack rank ${rank}: it needs a token of at most 255 bytes`);
    }
    bytes.push(token.length, ...token);
  }
  const zipped = gzipSync(Uint8Array.from(bytes), { level: 9 });
  return {
    notice:
      "Token ranks of OpenAI's Whisper. MIT License, Copyright (c) 2022 OpenAI. See NOTICE in this folder.",
    tokens: tokens.length,
    data: zipped.toString("base64"),
  };
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  Deno.writeTextFileSync(to, JSON.stringify(packRanks(Deno.readTextFileSync(from)), null, 2) + "\n");
}
