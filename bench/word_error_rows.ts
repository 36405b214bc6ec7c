/**
 * Word error rates of a whole model in each precision policy: what an encoder's error means for texts.
 *
 * @module
 */

import { join } from "node:path";
import { type Precision, PRECISIONS } from "../encoder/mod.ts";
import { errorsBetween } from "../evaluate/errors_between.ts";
import { loadModel } from "../whisper_model.ts";
import type { Row } from "./report.ts";

/** Goal: points between a policy's word error rate and that of `f32`. */
const MOST_POINTS = 0.5;

/** A recording and what is said in it. */
interface Recording {
  readonly path: string;
  readonly language: string;
  readonly words: readonly string[];
}

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
 * @param recordings Folder with a `manifest.tsv`: file, seconds, voice, text, language.
 */
export async function wordErrorRows(
  model: string,
  recordings: string,
  { threads }: { readonly threads: number },
): Promise<Row[]> {
  const list = await readManifest(recordings);
  const said = list.reduce((sum, { words }) => sum + words.length, 0);
  const wrong = new Map<Precision, number>();
  for (const precision of PRECISIONS.filter((name) => name !== "auto")) {
    await using loaded = await loadModel(model, { device: "cpu", threads, precision });
    let errors = 0;
    for (const { path, language, words } of list) {
      const options = { language, temperature: 0, conditionOnPreviousText: false };
      errors += wordErrors(wordsOf((await loaded.transcribe(path, options)).text), words);
    }
    wrong.set(precision, errors);
  }
  const points = (errors: number) => 100 * errors / said;
  return [...wrong].map(([precision, errors]) => {
    const apart = points(Math.abs(errors - wrong.get("f32")!));
    return {
      what: `words wrong, ${precision}`,
      note: `${points(errors).toFixed(1)} % (${errors}/${said})`,
      verdicts: precision === "f32"
        ? []
        : [{ goal: `${apart.toFixed(1)} ≤ ${MOST_POINTS} apart`, met: apart <= MOST_POINTS }],
    };
  });
}

async function readManifest(folder: string): Promise<Recording[]> {
  const [, ...lines] = (await Deno.readTextFile(join(folder, "manifest.tsv"))).trimEnd().split("\n");
  return lines.map((line) => {
    const [file, , , text, language] = line.split("\t");
    return { path: join(folder, file), language, words: wordsOf(text) };
  });
}
