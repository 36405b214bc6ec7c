/**
 * Recordings with what is said in them, to be heard as they are or a little later.
 *
 * @module
 */

import { join } from "node:path";
import { loadAudio } from "../audio/mod.ts";

/** A recording and what is said in it. */
export interface SpokenRecording {
  /** F32, 16 kHz. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Code of the language. */
  readonly language: string;
  /** What is said. */
  readonly text: string;
}

/** Samples of silence that each hearing begins later: 3.8 ms, with no divisor of a frame's 160, so that all differ. */
const SHIFT_SAMPLES = 61;

/** Reads the recordings of a folder with a `manifest.tsv`: file, seconds, voice, text, language. */
export async function readSpokenRecordings(folder: string): Promise<SpokenRecording[]> {
  const [, ...lines] = (await Deno.readTextFile(join(folder, "manifest.tsv"))).trimEnd().split("\n");
  const recordings: SpokenRecording[] = [];
  for (const line of lines) {
    const [file, , , text, language] = line.split("\t");
    recordings.push({ samples: await loadAudio(join(folder, file)), language, text });
  }
  return recordings;
}

/** What is heard the n-th time: the samples as they are, then with silence before them that grows. */
export function heard({ samples }: SpokenRecording, hearing: number): Float32Array<ArrayBuffer> {
  const silence = hearing * SHIFT_SAMPLES;
  const all = new Float32Array(silence + samples.length);
  all.set(samples, silence);
  return all;
}
