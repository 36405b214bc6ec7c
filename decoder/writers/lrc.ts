/**
 * Lyrics in time: a line for each segment, as players of music show them.
 *
 * @module
 */

import { strip } from "../whitespace.ts";
import type { TranscriptText } from "./transcript.ts";

/**
 * The contents of a `.lrc` file: `[mm:ss.xx]text`, hundredths of a second, minutes beyond 99 where there are so many. A pause of
 * more than a second is a line without text, or players would leave the last line standing.
 */
export function writeLrc({ segments }: Pick<TranscriptText, "segments">): string {
  const spoken = segments.filter(({ text }) => strip(text) !== "");
  const lines = spoken.flatMap(({ start, end, text }, i) => {
    const line = `${time(start)}${strip(text).replaceAll("\n", " ")}`;
    const next = spoken.at(i + 1)?.start ?? Infinity;
    return next - end > LONGEST_REST ? [line, time(end)] : [line];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** Seconds without speech in which a line may stay. */
const LONGEST_REST = 1;

function time(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const pad = (value: number) => String(value).padStart(2, "0");
  return `[${pad(Math.floor(hundredths / 6000))}:${pad(Math.floor(hundredths / 100) % 60)}.${
    pad(hundredths % 100)
  }]`;
}
