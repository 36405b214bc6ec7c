/**
 * Word error rates of a whole model in each precision policy: what an encoder's and a decoder's error mean for texts.
 *
 * Of a few hundred words one or two flip by chance: a recording that begins 4 ms later has other frames, and even in
 * `f32` another text. So recordings are heard as they are, and as often again with a little silence before them. What a
 * policy adds is judged over all of those, and stands there with its standard error.
 *
 * @module
 */

import { type Precision, PRECISIONS } from "../encoder/mod.ts";
import { errorsBetween } from "../evaluate/errors_between.ts";
import { loadModel } from "../whisper_model.ts";
import type { Row } from "./report.ts";
import { heard, type SpokenRecording } from "./spoken_recordings.ts";

/** Goal: points by which a policy's word error rate exceeds that of `f32`, over all shifts. */
const MOST_POINTS = 0.5;

/** How often recordings are heard, the first time as they are. */
const HEARINGS = 21;

/** Words without case and punctuation. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

/** Words that have to be put in, taken out or replaced to make one text the other (Levenshtein). */
export function wordErrors(heard: readonly string[], said: readonly string[]): number {
  const { substitutions, deletions, insertions } = errorsBetween(said, heard);
  return substitutions + deletions + insertions;
}

/**
 * Transcribes recordings greedily in each policy.
 *
 * @param model Path of a checkpoint.
 * @param options `hearings`: how often, the first time without a shift.
 */
export async function wordErrorRows(
  model: string,
  recordings: readonly SpokenRecording[],
  { threads, hearings = HEARINGS }: { readonly threads: number; readonly hearings?: number },
): Promise<Row[]> {
  const said = sumOf(recordings.map(({ text }) => wordsOf(text).length));
  const wrong = new Map<Precision, number[]>();
  for (const precision of PRECISIONS.filter((name) => name !== "auto")) {
    await using loaded = await loadModel(model, { device: "cpu", threads, precision });
    const counts: number[] = [];
    for (let hearing = 0; hearing < hearings; hearing++) {
      let errors = 0;
      for (const recording of recordings) {
        const options = { language: recording.language, temperature: 0, conditionOnPreviousText: false };
        const { text } = await loaded.transcribe(heard(recording, hearing), options);
        errors += wordErrors(wordsOf(text), wordsOf(recording.text));
      }
      counts.push(errors);
    }
    wrong.set(precision, counts);
  }
  return [...wrong].flatMap(([precision, counts]) => rowsOf(precision, counts, wrong.get("f32")!, said));
}

/**
 * The rows of one policy.
 *
 * @param counts Words wrong in each hearing.
 * @param exact The same of `f32`, which has no verdict.
 * @param said Words of a hearing.
 */
export function rowsOf(
  precision: Precision,
  counts: readonly number[],
  exact: readonly number[],
  said: number,
): Row[] {
  const share = (errors: number, of: number) => `${(100 * errors / of).toFixed(1)} % (${errors}/${of})`;
  const { mean, error } = meanOf(counts.map((errors, i) => 100 * (errors - exact[i]) / said));
  const more = `${mean.toFixed(1)} ± ${error.toFixed(1)} points`;
  return [
    { what: `words wrong, ${precision}`, note: share(counts[0], said) },
    {
      what: `  heard ${counts.length} times`,
      note: `${share(sumOf(counts), counts.length * said)}, ${Math.min(...counts)} to ${Math.max(...counts)}`,
      ...precision !== "f32" &&
        { verdicts: [{ goal: `${more} more ≤ ${MOST_POINTS}`, met: mean <= MOST_POINTS }] },
    },
  ];
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** A mean and its standard error, NaN of a single value. */
function meanOf(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const n = values.length;
  const mean = sumOf(values) / n;
  const squares = sumOf(values.map((value) => (value - mean) ** 2));
  return { mean, error: Math.sqrt(squares / (n - 1) / n) };
}
