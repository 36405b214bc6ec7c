/**
 * What work costs as it grows: by size of the model, by length of the recording, by threads and by hypotheses.
 * Markdown, because it goes into the documentation.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Precision } from "../encoder/mod.ts";
import { markdownTable } from "./markdown.ts";
import { BATCHES, type LengthCost, measureApart, type SizeCost } from "./measure_child.ts";
import { randomCheckpoint, WHISPER_SIZES } from "./random_weights.ts";

const ROOT = new URL("../", import.meta.url);

/** Lengths of recordings, in seconds: a window, ten minutes, one hour, ten. */
const LENGTHS: readonly number[] = [30, 600, 3600, 36_000];

/** Layers from which on one run has to do: it takes seconds. */
const MANY_LAYERS = 24;

/** How growth is measured. */
export interface GrowthOptions {
  /** Numbers of threads to measure with. */
  readonly threads: readonly number[];
  /** Names among {@linkcode WHISPER_SIZES}; default all. */
  readonly sizes?: readonly string[];
  /** Longest recording, in seconds; default ten hours. */
  readonly longest?: number;
  /** Told what comes next. */
  readonly onProgress?: (text: string) => void;
}

/** Measures, and writes the tables. */
export async function growthTables(options: GrowthOptions): Promise<string> {
  const { sizes = Object.keys(WHISPER_SIZES), longest = LENGTHS.at(-1)!, threads } = options;
  const folder = await Deno.makeTempDir({ prefix: "growth" });
  try {
    const bySize: { name: string; threads: number; cost: SizeCost }[] = [];
    for (const name of sizes) {
      const file = join(folder, `${name}.f16`);
      await randomCheckpoint(name, WHISPER_SIZES[name], file);
      const rounds = WHISPER_SIZES[name].n_audio_layer >= MANY_LAYERS ? 1 : 3;
      for (const count of threads) {
        options.onProgress?.(`${name}, ${count} threads`);
        const cost = await measureApart<SizeCost>("size", name, file, `${count}`, `${rounds}`);
        bySize.push({ name, threads: count, cost });
      }
      await Deno.remove(file);
    }
    const byLength: LengthCost[] = [];
    for (const seconds of LENGTHS.filter((length) => length <= longest)) {
      options.onProgress?.(`${seconds} s of audio`);
      const file = join(folder, `${seconds}.wav`);
      await repeatedRecording(file, seconds);
      byLength.push(await measureApart<LengthCost>("length", file, `${Math.max(...threads)}`));
      await Deno.remove(file);
    }
    return [sizeTable(bySize), lengthTable(byLength, Math.max(...threads))].join("\n\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The bundled long recording (PCM16, 16 kHz, mono) over and over, as one WAV file of that length. */
async function repeatedRecording(path: string, seconds: number): Promise<void> {
  const source = await Deno.readFile(fileURLToPath(new URL("models/demo/audio/09_long.wav", ROOT)));
  const view = new DataView(source.buffer);
  const headerBytes = 44; // the bundled file has no chunks but `fmt ` and `data`
  const samples = source.subarray(headerBytes);
  const dataBytes = 2 * 16_000 * seconds;
  view.setUint32(4, headerBytes - 8 + dataBytes, true);
  view.setUint32(headerBytes - 4, dataBytes, true);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  await writer.write(source.subarray(0, headerBytes));
  for (let left = dataBytes; left > 0; left -= samples.length) await writer.write(samples.subarray(0, left));
  await writer.close();
}

function sizeTable(rows: readonly { name: string; threads: number; cost: SizeCost }[]): string {
  const policies = Object.keys(rows[0].cost.encode) as Precision[];
  return markdownTable(
    [
      "model",
      "threads",
      "load, s",
      ...policies.map((policy) => `a window, ${policy}, ms`),
      ...BATCHES.map((batch) => `a step of ${batch}, ms`),
      "peak memory, MB",
    ],
    rows.map(({ name, threads, cost }) => [
      name,
      `${threads}`,
      cost.load.toFixed(2),
      ...policies.map((policy) => (1000 * cost.encode[policy]!).toFixed(0)),
      ...cost.step.map((seconds) => (1000 * seconds).toFixed(1)),
      megabytes(cost.peak),
    ]),
  );
}

function lengthTable(rows: readonly LengthCost[], threads: number): string {
  return markdownTable(
    ["audio", `time, s, ${threads} threads`, "× real time", "segments", "peak memory, MB"],
    rows.map(({ audio, total, segments, peak }) => [
      duration(audio),
      total.toFixed(1),
      (audio / total).toFixed(0),
      `${segments}`,
      megabytes(peak),
    ]),
  );
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(0)} h`;
}

const megabytes = (bytes: number | null): string => bytes === null ? "" : (bytes / 1e6).toFixed(0);
