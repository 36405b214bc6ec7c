/**
 * The encoder in each of its precision policies beside every peer there is: one window, runs in turns, ratios to the
 * fastest FP32 peer, errors, verdicts.
 *
 * @module
 */

import { join } from "node:path";
import { planEncoder } from "../../encoder/plan.ts";
import { Encoder, type Precision, PRECISIONS } from "../../encoder/mod.ts";
import { SottoError } from "../../errors.ts";
import type { CpuDevice } from "../../kernels/cpu/device.ts";
import { operationsOf } from "../../kernels/step.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { measureApart, type ModelCost } from "../measure_child.ts";
import { onnxEncoder } from "../onnx_encoder.ts";
import { openOnnxPeer } from "../onnx_peer.ts";
import { randomCheckpoint, WHISPER_SIZES, withDecoder } from "../random_weights.ts";
import type { Peaks } from "../peaks.ts";
import { relativeError } from "../relative_error.ts";
import type { Row, Verdict } from "../report.ts";
import { type Timing, timingOf } from "../timing.ts";
import type { Clip } from "./clips.ts";
import type { Arithmetic, EncoderPeer } from "./peer.ts";
import { PYTHON_LIBRARIES, PythonLibrary } from "./python_peers.ts";
import { WhisperCpp } from "./whisper_cpp.ts";

/** What a policy has to reach. */
interface Goal {
  /** Times the time of the fastest FP32 peer. */
  readonly mostOfFastest: number;
  /** On every clip. */
  readonly mostError: number;
  /** It is to be faster than all peers that compute in these. */
  readonly beats: readonly Arithmetic[];
}
const GOALS: Readonly<Record<Exclude<Precision, "auto">, Goal>> & Readonly<Record<string, Goal>> = {
  f32: { mostOfFastest: 0.95, mostError: 1e-4, beats: ["f32"] },
  half: { mostOfFastest: 0.6, mostError: 1e-2, beats: ["bf16", "f16"] },
  int8: { mostOfFastest: 0.45, mostError: 2e-2, beats: ["int8"] },
};

/** Share of the FP32 peak that the products of the `f32` policy are to reach. */
const LEAST_OF_PEAK = 0.8;

/** Between runs: longer than idle threads of any peer keep spinning (libiomp: 200 ms), which would slow down the next. */
const PAUSE_MS = 250;

/** Which peers to look for, and what they encode. */
export interface PeerOptions {
  /** A Python with peers; none if absent. */
  readonly python?: string;
  /** Folder of whisper.cpp's programs; none if absent. */
  readonly whisperCpp?: string;
  /** An encoder of Whisper base's size. */
  readonly checkpoint: Checkpoint;
  /** Path of its `model.safetensors`. */
  readonly encoderFile: string;
  readonly threads: number;
  readonly rounds: number;
  readonly peaks: Peaks;
  /** The first is what is timed; others are for errors alone. */
  readonly clips: readonly Clip[];
}

/** Measures all that are there. */
export async function peerRows(
  device: CpuDevice,
  options: PeerOptions,
): Promise<{ readonly rows: Row[]; readonly notes: string[]; readonly skipped: string[] }> {
  const { checkpoint, threads, rounds, clips: [timed, ...otherClips] } = options;
  const skipped: string[] = [];
  const work = await Deno.makeTempDir({ prefix: "peers" });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => Deno.remove(work, { recursive: true }));

  const own: { precision: Precision; encoder: Encoder }[] = [];
  for (const precision of PRECISIONS.filter((name) => name !== "auto")) {
    own.push({ precision, encoder: opened.use(await Encoder.load(checkpoint, { device, precision })) });
  }
  const peers: EncoderPeer[] = [];
  const onnx = await openOnnxPeer(checkpoint.dims.encoder, checkpoint.weights, threads);
  if (typeof onnx === "string") skipped.push(onnx);
  else {
    opened.use(onnx);
    peers.push({
      name: `${onnx.name} F32`,
      arithmetic: "f32",
      time: () => secondsOf(() => onnx.encode(timed.logMel)),
      features: () => onnx.encode(timed.logMel),
    });
  }
  for (const library of await pythonLibraries(options, { work, skipped })) {
    opened.use(library);
    peers.push(...library.peers);
    skipped.push(...library.missing);
  }
  if (options.python === undefined) skipped.push("peers in Python: no --python");
  const whisperCpp = options.whisperCpp === undefined ? null : await prepareWhisperCpp(options, work);
  if (whisperCpp === null) skipped.push("whisper.cpp: no --whisper-cpp");
  else peers.push(...whisperCpp.peers);
  if (peers.length === 0) return { rows: [], notes: [], skipped };

  const runners = [
    ...own.map(({ encoder }) => ({
      time: () => secondsOf(() => encoder.encode(timed.logMel)),
      mostRounds: rounds,
      warmsUp: false,
    })),
    ...peers.map((peer) => ({
      time: () => peer.time(),
      mostRounds: Math.min(rounds, peer.mostRounds ?? rounds),
      warmsUp: peer.warmsUp ?? false,
    })),
  ];
  const times = await inTurns(runners, rounds);

  const plan = planEncoder(checkpoint.dims.encoder);
  const operations = plan.steps.reduce((sum, step) => sum + operationsOf(step), 0);
  const rateOf = (time: Timing, arithmetic: string) =>
    arithmetic === "f32" ? { rate: { value: operations / time.min, unit: "FLOP" as const } } : {};
  const measured = await Promise.all(
    peers.map(async (peer, i) => ({
      peer,
      time: times[own.length + i],
      error: await errorOf(peer, timed.expected!),
    })),
  );
  const fastest = fastestOf(measured, ["f32"]);
  const rows: Row[] = [];
  const verdicts: Row[] = [];
  for (const [i, { precision, encoder }] of own.entries()) {
    const time = times[i];
    const errors = [{
      clip: timed.name,
      error: relativeError(await encoder.encode(timed.logMel), timed.expected!),
    }];
    for (const { name, logMel, expected } of otherClips) {
      const right = expected ?? (typeof onnx === "string" ? null : await onnx.encode(logMel));
      if (right === null) continue;
      errors.push({ clip: name, error: relativeError(await encoder.encode(logMel), right) });
    }
    rows.push({
      what: `sotto ${precision}`,
      time,
      ...rateOf(time, precision),
      error: errors[0].error,
      note: ratioNote(time, fastest),
    });
    verdicts.push(
      ...verdictRows(precision, {
        time,
        errors,
        fastest,
        rival: fastestOf(measured, GOALS[precision].beats),
      }),
    );
  }
  for (const { peer, time, error } of measured) {
    rows.push({
      what: peer.name,
      time,
      ...rateOf(time, peer.arithmetic),
      ...(error === null ? {} : { error }),
      note: [ratioNote(time, fastest), peer.note].filter(Boolean).join(", "),
    });
  }
  rows.push(...verdicts, await productsRow(device, options));
  if (whisperCpp !== null) {
    rows.push(...whisperCpp.rows());
    const cost = await measureApart<ModelCost>("model", whisperCpp.model, `${threads}`);
    if (cost.peak !== null && whisperCpp.leastPeak !== null) {
      const [ours, theirs] = [cost.peak, whisperCpp.leastPeak].map((bytes) => (bytes / 1e6).toFixed(0));
      rows.push({
        what: "memory at most, its f16 model as it opens by default",
        verdicts: [{ goal: `${ours} ≤ ${theirs} MB`, met: cost.peak <= whisperCpp.leastPeak }],
      });
    }
  }
  const notes = own.map(({ precision, encoder }) => `sotto ${precision}: ${encoder.arithmetic}`);
  return { rows, notes, skipped };
}

interface Measured {
  readonly peer: EncoderPeer;
  readonly time: Timing;
}

function fastestOf(measured: readonly Measured[], kinds: readonly Arithmetic[]): Measured | null {
  const rivals = measured.filter(({ peer }) => kinds.includes(peer.arithmetic));
  return rivals.reduce<Measured | null>(
    (best, it) => best === null || it.time.min < best.time.min ? it : best,
    null,
  );
}

/** Of the time of the fastest FP32 peer. */
function ratioNote(time: Timing, fastest: Measured | null): string {
  return fastest === null ? "" : `${(time.min / fastest.time.min).toFixed(2)} ×`;
}

/** Rows of verdicts on one policy: against the fastest in FP32, the fastest of its kind, and on each clip. */
function verdictRows(
  precision: string,
  { time, errors, fastest, rival }: {
    readonly time: Timing;
    readonly errors: readonly { readonly clip: string; readonly error: number }[];
    readonly fastest: Measured | null;
    readonly rival: Measured | null;
  },
): Row[] {
  const { mostOfFastest, mostError } = GOALS[precision];
  const against = (rival: Measured, most: number): Verdict => {
    const ratio = time.min / rival.time.min;
    return { goal: `${ratio.toFixed(2)} ≤ ${most} ×`, met: ratio <= most };
  };
  return [
    ...(fastest === null ? [] : [{
      what: `  ${precision} over the fastest FP32`,
      verdicts: [against(fastest, mostOfFastest)],
    }]),
    ...(rival === null || rival === fastest ? [] : [{
      what: `  ${precision} over its fastest rival`,
      verdicts: [against(rival, 1)],
    }]),
    ...errors.map(({ clip, error }) => ({
      what: `  ${precision}, ${clip}`,
      error,
      verdicts: [{ goal: `≤ ${100 * mostError} %`, met: error <= mostError }],
    })),
  ];
}

/** The products of the `f32` policy against what the processor can do. */
async function productsRow(
  device: CpuDevice,
  { checkpoint: { dims, weights }, peaks, rounds, clips: [{ logMel }] }: PeerOptions,
): Promise<Row> {
  const plan = planEncoder(dims.encoder);
  using loaded = await device.loadPlan(plan, weights);
  const least = new Float64Array(plan.steps.length).fill(Infinity);
  for (let round = 0; round < rounds; round++) {
    await peaks.sample();
    const { seconds } = await loaded.profile(logMel);
    for (const [i, time] of seconds.entries()) least[i] = Math.min(least[i], time);
  }
  let seconds = 0;
  let operations = 0;
  for (const [i, step] of plan.steps.entries()) {
    if (step.op !== "gemm") continue;
    seconds += least[i];
    operations += operationsOf(step);
  }
  const rate = operations / seconds;
  return {
    what: "  products of f32",
    time: { min: seconds, median: seconds },
    rate: { value: rate, unit: "FLOP" },
    verdicts: [{ goal: `≥ ${100 * LEAST_OF_PEAK} % of the peak`, met: rate >= LEAST_OF_PEAK * peaks.f32 }],
  };
}

async function errorOf(peer: EncoderPeer, expected: Float32Array): Promise<number | null> {
  const features = await peer.features();
  return features === null ? null : relativeError(features, expected);
}

/** Starts those libraries that work; why others do not goes to `skipped`. */
async function pythonLibraries(
  options: PeerOptions,
  { work, skipped }: { readonly work: string; readonly skipped: string[] },
): Promise<PythonLibrary[]> {
  const { python, checkpoint, encoderFile, threads, clips: [{ logMel }] } = options;
  if (python === undefined) return [];
  const onnx = join(work, "encoder.onnx");
  const input = join(work, "log_mel.f32");
  await Deno.writeFile(onnx, (await onnxEncoder(checkpoint.dims.encoder, checkpoint.weights)).model);
  await Deno.writeFile(input, new Uint8Array(logMel.buffer, logMel.byteOffset, logMel.byteLength));
  const libraries: PythonLibrary[] = [];
  const start = { python, encoder: encoderFile, onnx, input, threads, work };
  for (const library of PYTHON_LIBRARIES) {
    try {
      libraries.push(await PythonLibrary.start(library, start));
    } catch (error) {
      if (!(error instanceof SottoError && error.code === "E_DEVICE")) throw error;
      skipped.push(error.message);
    }
  }
  return libraries;
}

/** whisper.cpp on this encoder with a random decoder of base's size. */
async function prepareWhisperCpp(options: PeerOptions, work: string): Promise<WhisperCpp> {
  const decoder = await randomCheckpoint("base", WHISPER_SIZES.base, join(work, "base.f16"));
  const checkpoint = withDecoder(options.checkpoint, decoder);
  return await WhisperCpp.prepare(options.whisperCpp!, { checkpoint, threads: options.threads, work });
}

/** What {@linkcode inTurns} times. */
interface Runner {
  readonly time: () => Promise<number>;
  readonly mostRounds: number;
  readonly warmsUp: boolean;
}

/** Times runners in turns; a first round, for those that do not warm up by themselves, does not count. */
async function inTurns(
  runners: readonly Runner[],
  rounds: number,
): Promise<Timing[]> {
  const seconds: number[][] = runners.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, { time, mostRounds, warmsUp }] of runners.entries()) {
      if (round >= mostRounds || (round < 0 && warmsUp)) continue;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const measured = await time();
      if (round >= 0) seconds[i].push(measured);
    }
  }
  return seconds.map(timingOf);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Refuses peers for a model they are not measured on. */
export function requireBase(name: string): void {
  if (name === "base") return;
  throw new SottoError("E_OPTION", `Cannot measure peers on ${name}: they run the encoder of Whisper base`, {
    hint: "Leave out --model, and have ../shared/data/whisper-base-encoder.",
  });
}
