/**
 * Whole transcriptions: where the time goes, what words and batches cost, and how memory grows with the length.
 * Markdown, because it goes into the documentation.
 *
 * @module
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledTokens } from "../decoder/vocabulary/bundled.ts";
import { writeGgml } from "../tests/convert/ggml_writer.ts";
import type { TranscriptionOptions } from "../transcription_options.ts";
import { markdownTable } from "./markdown.ts";
import { measureApart } from "./measure_child.ts";
import { randomCheckpoint, WHISPER_SIZES } from "./random_weights.ts";
import { syntheticRecording } from "./synthetic_recording.ts";
import type { TranscriptionCost } from "./transcription_cost.ts";

const ROOT = new URL("../", import.meta.url);
const LONG = fileURLToPath(new URL("models/demo/audio/09_long.wav", ROOT));
/** Seconds that memory is compared over. */
const [SHORT_SECONDS, HOUR_SECONDS] = [60, 3600];

/** Goals. */
const MOST_REST = 0.03;
const MOST_FOR_WORDS = 0.15;
const LEAST_OF_BATCHES = 1.5;
const MOST_MORE_MEMORY = 30e6;

/** Ways to transcribe. */
const WAYS = {
  greedy: {},
  "beam 5": { beamSize: 5 },
  "greedy, words": { wordTimestamps: true },
  "greedy, batches of 8": { batchSize: 8 },
} satisfies Record<string, TranscriptionOptions>;
type Way = keyof typeof WAYS;

/** What is transcribed with what. */
interface Subject {
  readonly model: string;
  readonly recording: string;
  readonly file: string;
  readonly ways: readonly Way[];
  /** How often it counts; 0: once, cold. */
  readonly rounds: number;
  /** What the model is called; default the last part of its path. */
  readonly called?: string;
  /** Beside those of the way. */
  readonly options?: TranscriptionOptions;
}

/**
 * Random weights of base's shape write what they like: as many tokens as a window of speech has, none of them the end,
 * and nothing is tried again.
 */
const RANDOM_TEXT: TranscriptionOptions = {
  suppressTokens: [50_257],
  maxNewTokens: 100,
  withoutTimestamps: true,
  noSpeechThreshold: null,
  logprobThreshold: null,
  compressionRatioThreshold: null,
  loopThreshold: null,
};
/** Seconds that those weights hear: eight windows. */
const RANDOM_SECONDS = 240;

/** How whole transcriptions are measured. */
export interface TranscriptionBench {
  readonly threads: number;
  /** Length of the long recording, in seconds; default an hour. */
  readonly longest?: number;
  /** Told what comes next. */
  readonly onProgress?: (text: string) => void;
}

/** Measures each in a process of its own, and writes the table. */
export async function transcriptionTable(
  { threads, longest = HOUR_SECONDS, onProgress }: TranscriptionBench,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "transcription" });
  try {
    const [short, long] = [SHORT_SECONDS, longest].map((seconds) => join(folder, `${seconds}.wav`));
    await syntheticRecording(short, SHORT_SECONDS);
    await syntheticRecording(long, longest);
    const ways = Object.keys(WAYS) as Way[];
    const base = fileURLToPath(new URL("../shared/data/commands-base", ROOT));
    const demo = fileURLToPath(new URL("models/demo", ROOT));
    const name = longest === HOUR_SECONDS ? "an hour" : `${longest} s`;
    const subjects: Subject[] = [
      { model: demo, recording: "79 s", file: LONG, ways, rounds: 15 },
      { model: demo, recording: "a minute", file: short, ways: ["greedy"], rounds: 0 },
      { model: demo, recording: name, file: long, ways, rounds: 0 },
      ...(await isThere(base) ? [{ model: base, recording: "79 s", file: LONG, ways, rounds: 3 }] : []),
      await randomBase(folder),
    ];
    const rows: string[][] = [];
    let minute: TranscriptionCost | null = null;
    for (const { model, recording, file, ways, rounds, called = basename(model), options: own } of subjects) {
      for (const way of ways) {
        onProgress?.(`${called}, ${recording}, ${way}`);
        const plain = { language: "en", temperature: 0, ...own };
        const compared = way === "greedy" || way === "beam 5" ? {} : { plain };
        const options = { ...plain, ...WAYS[way], ...compared, threads, rounds };
        const cost = await measureApart<TranscriptionCost>(
          "transcription",
          model,
          file,
          JSON.stringify(options),
        );
        // The minute is there for its memory alone: cold, it is mostly compiled.
        const verdict = file === short ? "" : verdictOf(way, cost, file === long ? minute : null);
        rows.push([called, recording, way, ...cells(cost, way), verdict]);
        if (file === short) minute = cost;
      }
    }
    return markdownTable(HEAD, rows);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEAD = [
  ...["model", "audio", "search", "s", "× real time", "audio, %", "mel, %", "encoder, %", "decoder, %"],
  ...["tokens, %", "align, %", "rest, %", "peak, MB", "verdict"],
];

function cells(cost: TranscriptionCost, way: Way): string[] {
  const { audio, total, reading, mel, encoder, decoder, tokens, align, rest, peak } = cost;
  // Of windows that are worked on side by side the parts do not add up.
  const parts = way === "greedy, batches of 8"
    ? [reading, mel].map(share).concat("", "", "", "", "")
    : [reading, mel, encoder, decoder, tokens, align, rest].map(share);
  function share(seconds: number): string {
    return (100 * seconds / total).toFixed(1);
  }
  return [
    total.toFixed(2),
    (audio / total).toFixed(0),
    ...parts,
    peak === null ? "" : (peak / 1e6).toFixed(0),
  ];
}

function verdictOf(
  way: Way,
  cost: TranscriptionCost,
  minute: TranscriptionCost | null,
): string {
  const said = (met: boolean, goal: string) => `${met ? "ok" : "MISSED"}: ${goal}`;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  if (way === "greedy, words") {
    const { plain, total, align, rest, windows } = cost;
    const words = align + rest - plain!.rest;
    const more = words / (total - words);
    // A window begins where the last word ends, as in openai-whisper: a short recording may take one more or less.
    const all = `${percent(total / plain!.total - 1)} in all, ${windows} windows for ${plain!.windows}`;
    return `${
      said(more <= MOST_FOR_WORDS, `${percent(more)} ≤ ${percent(MOST_FOR_WORDS)} for words`)
    }; ${all}`;
  }
  if (way === "greedy, batches of 8") {
    const times = cost.plain!.total / cost.total;
    return said(times >= LEAST_OF_BATCHES, `${times.toFixed(2)} ≥ ${LEAST_OF_BATCHES} × as fast`);
  }
  const share = cost.rest / cost.total;
  const rest = said(share <= MOST_REST, `rest ${percent(share)} ≤ ${percent(MOST_REST)}`);
  if (way !== "greedy" || minute?.peak == null || cost.peak === null) return rest;
  const more = cost.peak - minute.peak;
  const memory = `${(more / 1e6).toFixed(0)} ≤ ${MOST_MORE_MEMORY / 1e6} MB more than a minute`;
  return `${rest}; ${said(more <= MOST_MORE_MEMORY, memory)}`;
}

/** A model of base's shape, and eight windows for it. */
async function randomBase(folder: string): Promise<Subject> {
  const checkpoint = await randomCheckpoint("base", WHISPER_SIZES.base, join(folder, "base.f16"));
  const model = join(folder, "base.bin");
  const tokens = (await bundledTokens("multilingual")).slice(0, 50_257);
  await Deno.writeFile(model, await writeGgml(checkpoint, { dtype: "F16", tokens }));
  const file = join(folder, `${RANDOM_SECONDS}.wav`);
  await syntheticRecording(file, RANDOM_SECONDS);
  return {
    model,
    called: "base, random, 100 tokens a window",
    recording: `${RANDOM_SECONDS} s`,
    file,
    ways: ["greedy", "greedy, batches of 8"],
    rounds: 2,
    options: RANDOM_TEXT,
  };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
