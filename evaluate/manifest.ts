/**
 * Recordings and what is said in them: `manifest.tsv`, and `truth.json` beside it where times are known.
 *
 * @module
 */

import { join } from "node:path";
import { languageCode } from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";

/** A sentence and when it is spoken, in seconds. */
export interface TrueSentence {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A recording and its text. */
export interface TrueRecording {
  /** As the manifest names it. */
  readonly name: string;
  readonly path: string;
  /** Empty where nobody speaks. */
  readonly text: string;
  /** Code. */
  readonly language: string;
  /** Empty where times are not known. */
  readonly sentences: readonly TrueSentence[];
}

const COLUMNS = ["file", "text", "language"] as const;

/**
 * Reads a folder's manifest: a line of column names (`file`, `text`, `language`; others are passed over), then a recording a
 * line, separated by tabs. `truth.json` holds a list of sentences (`start`, `end`, `text`) by file.
 *
 * @throws {SottoError} E_INPUT if there is none; E_OPTION if a line is not one of it.
 */
export async function readManifest(folder: string): Promise<TrueRecording[]> {
  const path = join(folder, "manifest.tsv");
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new SottoError("E_INPUT", `Cannot evaluate ${folder}: it has no manifest.tsv that can be read`, {
      hint: "Write one: columns file, text, language, separated by tabs, with their names in the first line.",
      cause,
    });
  });
  const truth = await readTruth(join(folder, "truth.json"));
  const [header, ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const names = (header ?? "").split("\t");
  const places = COLUMNS.map((column) => names.indexOf(column));
  const refuse = (line: number, rule: string): never => {
    throw new SottoError("E_OPTION", `Cannot evaluate ${folder}: line ${line} of manifest.tsv ${rule}`);
  };
  if (places.includes(-1)) refuse(1, `must name the columns ${COLUMNS.join(", ")}; got ${names.join(", ")}`);
  return lines.map((line, i) => {
    const cells = line.split("\t");
    const [file, text = "", language = ""] = places.map((place) => cells[place]?.trim());
    if (!file) refuse(i + 2, "names no file");
    const code = languageCode(language);
    if (code === undefined) refuse(i + 2, `must name a language of Whisper's; got "${language}"`);
    return { name: file!, path: join(folder, file!), text, language: code!, sentences: truth[file!] ?? [] };
  });
}

async function readTruth(path: string): Promise<Record<string, readonly TrueSentence[]>> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "{}";
    throw error;
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SottoError("E_OPTION", `Cannot evaluate: ${path} is not JSON`, { cause });
  }
}
