/**
 * Finds recordings to calibrate by, and others to judge on.
 *
 * @module
 */

import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";
import { readRecording, type Recording } from "./clips.ts";
import { spokenRecordings } from "./speech_synthesis.ts";

/** Endings of files that are taken for recordings. */
const ENDINGS: readonly string[] = [
  ".wav",
  ".flac",
  ".mp3",
  ".ogg",
  ".oga",
  ".opus",
  ".m4a",
  ".mp4",
  ".webm",
  ".aac",
];

/** The recordings that come with the demo model. */
export const BUNDLED: string = fileURLToPath(new URL("../models/demo/audio", import.meta.url));

/** One recording of so many is held out. */
const HELD_OUT_OF = 3;

/** Recordings for each purpose; none is in both. */
export interface SplitRecordings {
  /** What is chosen by. */
  readonly chosenBy: readonly Recording[];
  /** What is judged on. */
  readonly judgedOn: readonly Recording[];
}

/** Where recordings come from. */
export interface RecordingFolders {
  readonly audio: string;
  /** What to judge on; default every third of `audio`, and speech of a synthesizer where one is installed. */
  readonly holdout?: string;
}

/**
 * Reads the recordings of a folder and sets some aside. Of a single recording nothing can be set aside: then the bundled
 * recordings are judged on.
 *
 * @throws {SottoError} E_INPUT if there is none, or nothing is left to judge on; what reading audio throws.
 */
export async function splitRecordings({ audio, holdout }: RecordingFolders): Promise<SplitRecordings> {
  const paths = await recordingsIn(audio);
  if (holdout !== undefined) {
    const theirs = (await recordingsIn(holdout)).filter((path) => !paths.includes(path));
    return await readSplit(paths, theirs, holdout);
  }
  const isHeldOut = (_: string, i: number) => i % HELD_OUT_OF === 1;
  const theirs = paths.length > 1
    ? paths.filter(isHeldOut)
    : (await recordingsIn(BUNDLED)).filter((path) => basename(path) !== basename(paths[0]));
  const { chosenBy, judgedOn } = await readSplit(
    paths.filter((path) => !theirs.includes(path)),
    theirs,
    audio,
  );
  return { chosenBy, judgedOn: [...await spokenRecordings(), ...judgedOn] };
}

async function readSplit(
  own: readonly string[],
  theirs: readonly string[],
  folder: string,
): Promise<SplitRecordings> {
  if (theirs.length === 0) {
    throw new SottoError("E_INPUT", `Cannot judge a calibration: ${folder} has no recording of its own`, {
      hint: "Give a folder of other recordings with --holdout.",
    });
  }
  const read = (paths: readonly string[]) =>
    Promise.all(paths.map((path) => readRecording(path, basename(path, extname(path)))));
  return { chosenBy: await read(own), judgedOn: await read(theirs) };
}

async function recordingsIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory && ENDINGS.includes(extname(name).toLowerCase())) paths.push(join(folder, name));
    }
  } catch (cause) {
    throw new SottoError("E_INPUT", `Cannot read the folder ${folder}: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (paths.length > 0) return paths.sort();
  throw new SottoError("E_INPUT", `Cannot calibrate by ${folder}: it holds no recording`, {
    hint: `Files ending in ${ENDINGS.join(", ")} are taken.`,
  });
}
