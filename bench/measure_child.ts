/**
 * Measurements that need a process of their own, because the peak of its memory is one of them. Prints JSON.
 *
 *     measure_child.ts size NAME FILE THREADS ROUNDS    random weights of a published size, in FILE
 *     measure_child.ts model FILE THREADS               a checkpoint: load, encode a window, write 16 tokens
 *     measure_child.ts length FILE THREADS              the demo model on a recording
 *     measure_child.ts transcription MODEL FILE JSON    a transcription by stages; JSON: options, threads, rounds
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Encoder, type Precision, PRECISIONS } from "../encoder/mod.ts";
import { CpuDevice } from "../kernels/cpu/device.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { openCheckpoint } from "../model/open.ts";
import { loadModel } from "../whisper_model.ts";
import { peakMemory } from "./peers/peak_memory.ts";
import { checkpointAt, WHISPER_SIZES } from "./random_weights.ts";
import { timingOf } from "./timing.ts";
import { type TranscriptionCost, transcriptionCost } from "./transcription_cost.ts";

/** Hypotheses that a step is timed with. */
export const BATCHES: readonly number[] = [1, 2, 5, 8];

/** Steps that are timed for each, after two that warm up. */
const STEPS = 10;

/** What one size cost. Seconds and bytes; the peak counts the F32 encoder and the decoder. */
export interface SizeCost {
  readonly load: number;
  /** Of one window, by policy. */
  readonly encode: Readonly<Partial<Record<Precision, number>>>;
  /** Of one step, in the order of {@linkcode BATCHES}. */
  readonly step: readonly number[];
  readonly peak: number | null;
}

/** What a model's use cost as it opens by default: seconds to load it, bytes at most. */
export interface ModelCost {
  readonly load: number;
  readonly peak: number | null;
}

/** What one recording cost. */
export interface LengthCost {
  /** Seconds of audio, and seconds that it took. */
  readonly audio: number;
  readonly total: number;
  readonly segments: number;
  readonly peak: number | null;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Times a checkpoint, the encoder first in F32: its peak counts, and the other policies come after it. */
async function sizeCost(
  checkpoint: Checkpoint,
  { threads, rounds }: { readonly threads: number; readonly rounds: number },
): Promise<SizeCost> {
  const { dims: { encoder: { n_mels, n_audio_ctx, n_audio_state }, decoder: decoderDims }, weights } =
    checkpoint;
  using device = CpuDevice.open({ threads });
  const logMel = Float32Array.from({ length: n_mels * 2 * n_audio_ctx }, (_, i) => Math.sin(i * 0.7));
  const features = Float32Array.from({ length: n_audio_ctx * n_audio_state }, (_, i) => Math.sin(i * 0.7));
  const encode: Partial<Record<Precision, number>> = {};
  const step: number[] = [];
  let load = 0;
  let peak: number | null = null;
  for (const precision of PRECISIONS.filter((name) => name !== "auto")) {
    let encoder: Encoder;
    load = Math.max(
      load,
      await seconds(async () => encoder = await Encoder.load(checkpoint, { device, precision })),
    );
    using loaded = encoder!;
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) times.push(await seconds(() => loaded.encode(logMel)));
    encode[precision] = timingOf(times).min;
    if (precision !== "f32") continue;
    using decoder = await device.loadDecoder(decoderDims!, weights);
    for (const batch of BATCHES) {
      using session = decoder.open(batch);
      await session.setFeatures(features);
      const tokens = new Int32Array(batch).fill(50258);
      const stepTimes: number[] = [];
      for (let position = 0; position < STEPS + 2; position++) {
        const time = await seconds(() => session.step(tokens, batch, position));
        if (position >= 2) stepTimes.push(time);
      }
      step.push(timingOf(stepTimes).min);
    }
    peak = await peakMemory();
  }
  return { load, encode, step, peak };
}

async function modelCost(path: string, threads: number): Promise<ModelCost> {
  const begun = performance.now();
  const checkpoint = await openCheckpoint(path);
  using device = CpuDevice.open({ threads });
  using encoder = await Encoder.load(checkpoint, { device });
  using decoder = await device.loadDecoder(checkpoint.dims.decoder!, checkpoint.weights);
  const load = (performance.now() - begun) / 1000;
  const { n_mels, n_audio_ctx } = checkpoint.dims.encoder;
  using session = decoder.open(5);
  await session.setFeatures(await encoder.encode(new Float32Array(n_mels * 2 * n_audio_ctx)));
  for (let position = 0; position < 16; position++) {
    await session.step(new Int32Array(5).fill(50258), 5, position);
  }
  return { load, peak: await peakMemory() };
}

async function lengthCost(recording: string, threads: number): Promise<LengthCost> {
  using model = await loadModel(new URL("../models/demo", import.meta.url), { device: "cpu", threads });
  let segments = 0;
  const work = model.segments(recording, { language: "en", temperature: 0 });
  let step = await work.next();
  for (; !step.done; step = await work.next()) segments++;
  const { audio, total } = step.value.run.seconds;
  return { audio, total, segments, peak: await peakMemory() };
}

/** What can be measured. */
type Cost = SizeCost | ModelCost | LengthCost | TranscriptionCost;

/** Runs one measurement in a process of its own. */
export async function measureApart<T extends Cost>(
  ...args: readonly string[]
): Promise<T> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", fileURLToPath(import.meta.url), ...args],
  }).output();
  if (code !== 0) {
    throw new Error(`Cannot measure ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function main([what, ...args]: readonly string[]): Promise<Cost> {
  switch (what) {
    case "size": {
      const [name, file, threads, rounds] = args;
      const checkpoint = checkpointAt(name, WHISPER_SIZES[name], file);
      return await sizeCost(checkpoint, { threads: Number(threads), rounds: Number(rounds) });
    }
    case "model":
      return await modelCost(args[0], Number(args[1]));
    case "length":
      return await lengthCost(args[0], Number(args[1]));
    case "transcription": {
      const [path, file, text] = args;
      const { threads, ...options } = JSON.parse(text);
      using model = await loadModel(path, { device: "cpu", threads });
      return await transcriptionCost(model, file, options);
    }
    default:
      throw new TypeError(`Cannot measure ${what}: it must be size, model, length or transcription`);
  }
}

if (import.meta.main) console.log(JSON.stringify(await main(Deno.args)));
