/**
 * `deno task bench`: time, rate, error and verdict of every stage, one row each; beside other libraries and as the work
 * grows where that is asked for.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadAudio } from "../audio/mod.ts";
import { CpuDevice } from "../kernels/cpu/device.ts";
import { planEncoder } from "../encoder/plan.ts";
import { SottoError } from "../errors.ts";
import { logMel, padOrTrim } from "../mel/mod.ts";
import { openCheckpoint } from "../model/open.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { readSafetensors } from "../model/safetensors.ts";
import { readFloat32 } from "../model/read_tensor.ts";
import type { WeightStore } from "../model/weights.ts";
import { decoderRows } from "./decoder_rows.ts";
import { type EncoderBench, encoderRows } from "./encoder_rows.ts";
import { formatRows } from "./format_rows.ts";
import { growthTables } from "./growth.ts";
import { type Circumstances, reportMarkdown } from "./markdown.ts";
import { melRows } from "./mel_rows.ts";
import { Peaks } from "./peaks.ts";
import { type Clip, clipOf } from "./peers/clips.ts";
import { peerRows, requireBase } from "./peers/peer_rows.ts";
import { BASE_DECODER, randomDecoder } from "./random_decoder.ts";
import { formatReport, type Report, type Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";
import { tokenRows } from "./token_rows.ts";
import { transcriptionTable } from "./transcription.ts";
import { nextTokenRows } from "./next_token_rows.ts";
import { readSpokenRecordings } from "./spoken_recordings.ts";
import { wordErrorRows } from "./word_error_rows.ts";
import { wordRows } from "./word_rows.ts";

const ROOT = new URL("../", import.meta.url);
const DATA = new URL("../shared/data/", ROOT);

/** Goal for opening a base model. */
const MOST_OPENING_SECONDS = 0.5;

const USAGE = `bench [--json] [--model PATH] [--threads N] [--rounds N] [--write FILE.md]
             [--peers [--python PATH] [--whisper-cpp FOLDER]] [--growth] [--transcription]`;

/** What the command was asked for. */
interface BenchOptions {
  readonly model?: string;
  readonly threads: number;
  readonly rounds: number;
  /** Whether to measure peers and word error rates too. */
  readonly peers: boolean;
  readonly python?: string;
  readonly whisperCpp?: string;
}

/** What is encoded, and what is right for it where somebody else computed that. */
interface Subject {
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly samples: Float32Array;
  readonly golden: { readonly logMel: Float32Array<ArrayBuffer>; readonly features: Float32Array } | null;
}

async function chooseSubject(model: string | undefined, skipped: string[]): Promise<Subject> {
  const path = (name: string): string => fileURLToPath(new URL(name, DATA));
  if (model === undefined && await exists(path("whisper-base-encoder"))) {
    const tensors = await readSafetensors({ path: path("golden/jfk.safetensors") });
    const read = (name: string) => readFloat32(tensors.find((tensor) => tensor.name === name)!);
    return {
      name: "base",
      checkpoint: await openCheckpoint(path("whisper-base-encoder")),
      samples: await loadAudio(path("audio/jfk.wav")),
      golden: { logMel: await read("log_mel"), features: await read("encoder_output") },
    };
  }
  if (model === undefined) {
    skipped.push("Whisper base: no ../shared/data/whisper-base-encoder; measuring models/demo");
  }
  const chosen = model ?? fileURLToPath(new URL("models/demo", ROOT));
  return {
    name: chosen.split("/").findLast((part) => part !== "") ?? chosen,
    checkpoint: await openCheckpoint(chosen),
    samples: await loadAudio(fileURLToPath(new URL("models/demo/audio/09_long.wav", ROOT))),
    golden: null,
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Features by the reference kernels, for a model that nobody computed a golden result of. */
async function referenceFeatures(bench: Omit<EncoderBench, "golden">): Promise<Float32Array> {
  using device = CpuDevice.open({ threads: bench.threads, variant: "ref" });
  using plan = await device.loadPlan(planEncoder(bench.dims), bench.weights);
  return await plan.run(bench.logMel);
}

/** Opens a base model as a transcription does: headers, encoder packed, decoder mapped. */
async function openingRow(device: CpuDevice, decoderWeights: WeightStore, rounds: number): Promise<Row> {
  const encoderPath = fileURLToPath(new URL("whisper-base-encoder", DATA));
  const [time] = await timeInTurns([async () => {
    const { dims, weights } = await openCheckpoint(encoderPath);
    using _plan = await device.loadPlan(planEncoder(dims.encoder), weights);
    using _decoder = await device.loadDecoder(BASE_DECODER, decoderWeights);
  }], Math.min(rounds, 5));
  return {
    what: "opening base, files in memory",
    time,
    verdicts: [{ goal: `≤ ${1000 * MOST_OPENING_SECONDS} ms`, met: time.min <= MOST_OPENING_SECONDS }],
  };
}

/** Clips to judge encoders by: the timed one, speech before a long silence, and speech in noise where there is some. */
async function peerClips(
  device: CpuDevice,
  golden: NonNullable<Subject["golden"]>,
  skipped: string[],
): Promise<Clip[]> {
  const noisy = fileURLToPath(new URL("demo-model/audio/07_noisy.wav", DATA));
  if (!await exists(noisy)) skipped.push(`errors on speech in noise: no ${noisy}`);
  const silent = fileURLToPath(new URL("models/demo/audio/01_command.wav", ROOT));
  return [
    { name: "jfk", logMel: golden.logMel, expected: golden.features },
    await clipOf("speech, then silence", silent, device),
    ...(await exists(noisy) ? [await clipOf("speech in noise", noisy, device)] : []),
  ];
}

/** The encoder beside its peers, and word error rates. */
async function comparisons(
  device: CpuDevice,
  { name, checkpoint, golden }: Subject,
  options: BenchOptions & { readonly peaks: Peaks; readonly skipped: string[] },
): Promise<Pick<Report, "peers" | "words" | "notes">> {
  requireBase(name);
  const { skipped } = options;
  const peers = await peerRows(device, {
    ...options,
    checkpoint,
    encoderFile: fileURLToPath(new URL("whisper-base-encoder/model.safetensors", DATA)),
    clips: await peerClips(device, golden!, skipped),
  });
  skipped.push(...peers.skipped);
  const [model, recordings] = ["commands-base", "demo-model/audio"].map((name) =>
    fileURLToPath(new URL(name, DATA))
  );
  if (!await exists(model) || !await exists(recordings)) {
    skipped.push(`word error rates: no ${model} or no ${recordings}`);
    return { peers: peers.rows, notes: peers.notes };
  }
  const spoken = await readSpokenRecordings(recordings);
  const words = [
    ...await wordErrorRows(model, spoken, options),
    ...await nextTokenRows(model, spoken, options),
  ];
  return { peers: peers.rows, notes: peers.notes, words };
}

async function run(options: BenchOptions): Promise<Report> {
  const { threads, rounds } = options;
  const skipped: string[] = [];
  using device = CpuDevice.open({ threads });
  const peaks = new Peaks(device);
  await peaks.sample();
  const subject = await chooseSubject(options.model, skipped);
  const { dims: { encoder: dims }, weights } = subject.checkpoint;
  const mel = subject.golden?.logMel ??
    (await logMel(padOrTrim(subject.samples), { device, bands: dims.n_mels })).data;
  const bench = {
    model: subject.name,
    dims,
    weights,
    logMel: mel,
    samples: subject.samples,
    threads,
    rounds,
    peaks,
  };
  const golden = subject.golden?.features ?? await referenceFeatures(bench);
  const encoder = await encoderRows(device, { ...bench, golden });
  skipped.push(...encoder.skipped);

  const rows = [
    ...encoder.rows,
    ...await melRows(device, subject.samples, subject.golden?.logMel ?? null, rounds),
    ...await formatRows(device, rounds, peaks),
  ];
  const decoderPath = await Deno.makeTempFile();
  try {
    const decoder = await randomDecoder(BASE_DECODER, decoderPath);
    rows.push(...await decoderRows(device, decoder, { rounds, peaks }));
    rows.push(...await tokenRows(device, decoder));
    const encoderSeconds = subject.name === "base" ? encoder.rows[0].time!.min : null;
    rows.push(...await wordRows(device, decoder, { rounds, encoderSeconds }));
    if (subject.name === "base") rows.push(await openingRow(device, decoder, rounds));
    else skipped.push("opening base: it is timed with ../shared/data/whisper-base-encoder, without --model");
  } finally {
    await Deno.remove(decoderPath);
  }
  const compared = options.peers ? await comparisons(device, subject, { ...options, peaks, skipped }) : {};
  return {
    machine: { device: device.description, f32Peak: peaks.f32, readBandwidth: peaks.read },
    rows,
    ...compared,
    skipped,
  };
}

/** Options whose values are places on this machine, and what stands for them where the command is written down. */
const PLACES: Readonly<Record<string, string>> = {
  "--model": "PATH",
  "--python": "PYTHON",
  "--whisper-cpp": "FOLDER",
};

/** When and how this is measured. */
function circumstances(args: readonly string[]): Circumstances {
  const words = args.map((arg, i) => {
    const [name, value] = arg.split("=");
    return PLACES[args[i - 1]] ?? (value !== undefined && name in PLACES ? `${name}=${PLACES[name]}` : arg);
  });
  return {
    date: Temporal.Now.plainDateISO().toString(),
    command: ["deno task bench", ...words].join(" "),
    load: Deno.loadavg()[1],
    cores: navigator.hardwareConcurrency,
    versions: `Deno ${Deno.version.deno}, ${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
  };
}

async function main(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        json: { type: "boolean" },
        model: { type: "string" },
        threads: { type: "string", default: "2" },
        rounds: { type: "string", default: "10" },
        write: { type: "string" },
        peers: { type: "boolean", default: false },
        python: { type: "string" },
        "whisper-cpp": { type: "string" },
        growth: { type: "boolean", default: false },
        transcription: { type: "boolean", default: false },
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1) {
      throw new SottoError("E_OPTION", `Cannot measure ${values.rounds} rounds: rounds must be 1 or more`);
    }
    const { model, peers, python, "whisper-cpp": whisperCpp, json, write } = values;
    if (!peers && (python ?? whisperCpp) !== undefined) {
      throw new SottoError("E_OPTION", "Cannot use --python or --whisper-cpp alone: they are for --peers");
    }
    const when = circumstances(args);
    const report = await run({ model, threads: Number(values.threads), rounds, peers, python, whisperCpp });
    console.log(json ? JSON.stringify(report, null, 2) : formatReport(report));
    const growth = values.growth
      ? await growthTables({ threads: [1, 2], onProgress: (text) => console.error(`growth: ${text}`) })
      : undefined;
    const whole = values.transcription
      ? await transcriptionTable({
        threads: Number(values.threads),
        onProgress: (text) => console.error(`transcription: ${text}`),
      })
      : undefined;
    for (const table of [growth, whole]) if (table !== undefined && !json) console.log(`\n${table}`);
    if (write !== undefined) await Deno.writeTextFile(write, reportMarkdown(report, when, { growth, whole }));
    return 0;
  } catch (error) {
    if (error instanceof SottoError) {
      console.error(`bench: ${error.message}${error.hint && `\n       ${error.hint}`}`);
      return error.exitStatus;
    }
    if (!(error instanceof TypeError && "code" in error)) throw error;
    console.error(`bench: ${error.message}\nusage: ${USAGE}`);
    return 64;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
