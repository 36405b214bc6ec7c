/**
 * What work costs as it grows: by size of the model, by length of the recording, by threads and by hypotheses.
 * Markdown, because it goes into the documentation.
 *
 * @module
 */

import { join } from "node:path";
import type { Precision } from "../encoder/mod.ts";
import { markdownTable } from "./markdown.ts";
import { BATCHES, type LengthCost, measureApart, type SizeCost } from "./measure_child.ts";
import { syntheticRecording } from "./synthetic_recording.ts";
import { randomCheckpoint, WHISPER_SIZES } from "./random_weights.ts";

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
      await syntheticRecording(file, seconds);
      byLength.push(await measureApart<LengthCost>("length", file, `${Math.max(...threads)}`));
      await Deno.remove(file);
    }
    return [sizeTable(bySize), lengthTable(byLength, Math.max(...threads))].join("\n\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
