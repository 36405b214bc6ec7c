/**
 * How far a policy's arithmetic moves what a model expects next: after every token of what `f32` writes, the divergence
 * of the two distributions, and how often another token is the likeliest. Whether a word becomes another is chance where two
 * are as likely; these figures are steady.
 *
 * @module
 */

import { type Precision, PRECISIONS } from "../encoder/mod.ts";
import type { LogMel } from "../mel/mod.ts";
import { loadModel, type WhisperModel } from "../whisper_model.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { heard, type SpokenRecording } from "./spoken_recordings.ts";

/** How often recordings are heard, the first time as they are. */
const HEARINGS = 5;

/** What `f32` wrote of the first 30 s of a recording, and expected at each place. */
interface Window {
  readonly logMel: LogMel;
  readonly language: string;
  readonly written: readonly number[];
  /** F32 [written + 1, V]. */
  readonly logits: Float32Array;
}

/** How a policy compares over all places. */
interface Comparison {
  places: number;
  changed: number;
  divergence: number;
  /** Of the logits, squared, summed over windows. */
  error: number;
}

/**
 * Compares `half` and `int8` with `f32`.
 *
 * @param model Path of a checkpoint.
 */
export async function nextTokenRows(
  model: string,
  recordings: readonly SpokenRecording[],
  { threads, hearings = HEARINGS }: { readonly threads: number; readonly hearings?: number },
): Promise<Row[]> {
  const windows: Window[] = [];
  {
    await using exact = await loadModel(model, { device: "cpu", threads, precision: "f32" });
    for (let hearing = 0; hearing < hearings; hearing++) {
      for (const recording of recordings) {
        const { language } = recording;
        const logMel = await exact.logMel(heard(recording, hearing));
        const written = (await exact.decode(logMel, { language })).tokens;
        windows.push({
          logMel,
          language,
          written,
          logits: await expected(exact, { logMel, language, written }),
        });
      }
    }
  }
  const rows: Row[] = [];
  for (
    const precision of PRECISIONS.filter((name): name is Precision => name === "half" || name === "int8")
  ) {
    await using loaded = await loadModel(model, { device: "cpu", threads, precision });
    const sum: Comparison = { places: 0, changed: 0, divergence: 0, error: 0 };
    for (const window of windows) {
      compare(window.logits, await expected(loaded, window), loaded.decoder.dims.n_vocab, sum);
    }
    const { places, changed } = sum;
    rows.push({
      what: `next token, ${precision}`,
      error: Math.sqrt(sum.error / windows.length),
      note: `another ${changed} of ${places} times, divergence ${(sum.divergence / places).toExponential(1)}`,
    });
  }
  return rows;
}

/** Logits F32 [written + 1, V] after each token of a text. */
async function expected(
  { encoder, decoder, tokenizer }: WhisperModel,
  { logMel, language, written }: Omit<Window, "logits">,
): Promise<Float32Array> {
  using session = decoder.open(1);
  await session.setFeatures(await encoder.encode(logMel));
  const start = tokenizer.startSequence(language, "transcribe");
  const rows = Array.from({ length: written.length + 1 }, (_, i) => start.length - 1 + i);
  return await session.step(Int32Array.from([...start, ...written]), 1, 0, rows);
}

function compare(exact: Float32Array, other: Float32Array, V: number, sum: Comparison): void {
  for (let at = 0; at < exact.length; at += V) {
    const [p, q] = [exact, other].map((logits) => logProbabilities(logits.subarray(at, at + V)));
    sum.places++;
    sum.divergence += divergence(p, q);
    if (likeliest(p) !== likeliest(q)) sum.changed++;
  }
  sum.error += relativeError(other, exact) ** 2;
}

/** log softmax, F64 [V]. */
export function logProbabilities(logits: Float32Array): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return Float64Array.from(logits, (logit) => logit - highest - Math.log(sum));
}

/** Σ p · (log p − log q), in nats (Kullback and Leibler). */
export function divergence(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, logp, i) => sum + Math.exp(logp) * (logp - q[i]), 0);
}

function likeliest(logProbabilities: Float64Array): number {
  return logProbabilities.reduce((best, value, i) => value > logProbabilities[best] ? i : best, 0);
}
