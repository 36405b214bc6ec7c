/**
 * `deno task bench [--json] [--model PATH] [--threads N] [--rounds N]`: time, rate, error and verdict of every stage,
 * one row each.
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
import { melRows } from "./mel_rows.ts";
import { Peaks } from "./peaks.ts";
import { BASE_DECODER, randomDecoder } from "./random_decoder.ts";
import { formatReport, type Report, type Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";
import { tokenRows } from "./token_rows.ts";
import { wordRows } from "./word_rows.ts";

const ROOT = new URL("../", import.meta.url);
const DATA = new URL("../shared/data/", ROOT);

/** Goal for opening a base model. */
const MOST_OPENING_SECONDS = 0.5;

const USAGE = "bench [--json] [--model PATH] [--threads N] [--rounds N]";

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

async function run(options: { model?: string; threads: number; rounds: number }): Promise<Report> {
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
    rows.push(...await tokenRows());
    const encoderSeconds = subject.name === "base" ? encoder.rows[0].time!.min : null;
    rows.push(...await wordRows(device, decoder, { rounds, encoderSeconds }));
    if (subject.name === "base") rows.push(await openingRow(device, decoder, rounds));
    else skipped.push("opening base: it is timed with ../shared/data/whisper-base-encoder, without --model");
  } finally {
    await Deno.remove(decoderPath);
  }
  return {
    machine: { device: device.description, f32Peak: peaks.f32, readBandwidth: peaks.read },
    rows,
    skipped,
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
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1) {
      throw new SottoError("E_OPTION", `Cannot measure ${values.rounds} rounds: rounds must be 1 or more`);
    }
    const report = await run({ model: values.model, threads: Number(values.threads), rounds });
    console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(report));
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
