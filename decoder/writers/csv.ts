/**
 * Comma-separated values, for spreadsheets (RFC 4180).
 *
 * @module
 */

import { roundHalfEven } from "../rounding.ts";
import { strip } from "../whitespace.ts";
import type { TranscriptText } from "./transcript.ts";

/** The contents of a `.csv` file: a header, then start and end in milliseconds and the text of a segment a line. */
export function writeCsv({ segments }: Pick<TranscriptText, "segments">): string {
  const lines = segments.map(({ start, end, text }) =>
    [roundHalfEven(1000 * start), roundHalfEven(1000 * end), quoted(strip(text))].join(",")
  );
  return ["start,end,text", ...lines].map((line) => `${line}\r\n`).join("");
}

/** Always in quotes, so that every line has the same form; a quote within is written twice. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
