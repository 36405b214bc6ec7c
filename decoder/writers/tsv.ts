/**
 * Tab-separated values: start and end in milliseconds, and text.
 *
 * @module
 */

import { roundHalfEven } from "../rounding.ts";
import { strip } from "../whitespace.ts";
import type { TranscriptText } from "./transcript.ts";

/** The contents of a `.tsv` file, as openai-whisper writes it: a header, then a segment a line. */
export function writeTsv({ segments }: Pick<TranscriptText, "segments">): string {
  const lines = segments.map(({ start, end, text }) =>
    [roundHalfEven(1000 * start), roundHalfEven(1000 * end), strip(text).replaceAll("\t", " ")].join("\t")
  );
  return ["start\tend\ttext", ...lines].map((line) => `${line}\n`).join("");
}
