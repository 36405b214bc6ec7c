/**
 * Plain text: the text of a segment a line.
 *
 * @module
 */

import { strip } from "../whitespace.ts";
import type { TranscriptText } from "./transcript.ts";

/** The contents of a `.txt` file, as openai-whisper writes it. */
export function writeTxt({ segments }: Pick<TranscriptText, "segments">): string {
  return segments.map(({ text }) => `${strip(text)}\n`).join("");
}
