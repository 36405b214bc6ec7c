/**
 * Transcripts as files: plain text, subtitles, tables, JSON; to the letter as openai-whisper writes them. The functions
 * give the contents; writing files is for others.
 *
 * @module
 */

import { writeJson } from "./json.ts";
import { writeSrt } from "./srt.ts";
import type { Transcript } from "./transcript.ts";
import { writeTsv } from "./tsv.ts";
import { writeTxt } from "./txt.ts";
import { writeVtt } from "./vtt.ts";

export type { Transcript } from "./transcript.ts";
export { writeJson, writeSrt, writeTsv, writeTxt, writeVtt };

/** The contents of a file for each format; its name is also the file's extension. */
export const WRITERS = {
  txt: writeTxt,
  vtt: writeVtt,
  srt: writeSrt,
  tsv: writeTsv,
  json: writeJson,
} as const satisfies Readonly<Record<string, (transcript: Transcript) => string>>;

/** A format of {@linkcode WRITERS}. */
export type OutputFormat = keyof typeof WRITERS;

/** All formats, in openai-whisper's order. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = Object.keys(WRITERS) as OutputFormat[];

/** The contents of a transcript's file in that format. */
export function writeTranscript(transcript: Transcript, format: OutputFormat): string {
  return WRITERS[format](transcript);
}
