/**
 * How repetitive a text is, measured by how well it compresses.
 *
 * @module
 */

import { deflatedSize } from "./deflated_size.ts";

/**
 * Bytes of the text in UTF-8 over its bytes compressed by zlib at its default level (6), as openai-whisper
 * computes it; 0 for an empty text. Speech lies between 0.5 and 2, loops above 2.4.
 */
export function compressionRatio(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return bytes.length / deflatedSize(bytes);
}
