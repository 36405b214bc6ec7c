/**
 * The encoder in each precision: time, rate and error, against ONNX Runtime on the same weights, and where its time goes.
 *
 * @module
 */

import { planEncoder } from "../encoder/plan.ts";
import { arithmeticFor } from "../encoder/precision.ts";
import type { CpuDevice, CpuLoadedPlan } from "../kernels/cpu/device.ts";
import { operationsOf, type Plan, type Step } from "../kernels/step.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import type { WeightStore } from "../model/weights.ts";
import { strainingClips } from "./clips.ts";
import { openOnnxPeer } from "./onnx_peer.ts";
import type { Peaks } from "./peaks.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";

/** Goals of each precision: most relative L2 error, and most of ONNX Runtime's time in F32. */
const GOALS = { f32: [1e-4, 0.95], half: [0.01, 0.6], int8: [0.02, 0.45] } as const;

/** What the encoder is measured with. */
export interface EncoderBench {
  readonly model: string;
  readonly dims: EncoderDimensions;
  readonly weights: WeightStore;
  /** F32 [n_mels, 2·n_audio_ctx]. */
  readonly logMel: Float32Array<ArrayBuffer>;
  /** 16 kHz, what the log-mel is of. */
  readonly samples: Float32Array;
  /** F32 [n_audio_ctx, n_audio_state], what is right for it. */
  readonly golden: Float32Array;
  readonly threads: number;
  readonly rounds: number;
  readonly peaks: Peaks;
}

/** Measures the encoder in every precision and its peer in turns, then the steps of one run each. */
export async function encoderRows(
  device: CpuDevice,
  bench: EncoderBench,
): Promise<{ rows: Row[]; skipped: string[] }> {
  const { dims, weights, logMel, golden } = bench;
  using opened = new DisposableStack();
  const precisions: Loaded[] = [];
  for (const precision of ["f32", "half", "int8"] as const) {
    const plan = planEncoder(dims, arithmeticFor(precision, dims, device));
    precisions.push({ precision, plan, loaded: opened.use(await device.loadPlan(plan, weights)) });
  }
  const peer = await openOnnxPeer(dims, weights, bench.threads);
  await using _peer = typeof peer === "string" ? null : peer;
  const times = await timeInTurns([
    ...precisions.map(({ loaded }) => () => loaded.run(logMel)),
    () => bench.peaks.sample(),
    ...(typeof peer === "string" ? [] : [() => peer.encode(logMel)]),
  ], bench.rounds);

  const theirs = times.at(-1)!;
  const clips = await strainingClips(device, dims.n_mels, bench.samples);
  const exact = await Promise.all(clips.map((clip) => precisions[0].loaded.run(clip.logMel)));
  const rows: Row[] = [];
  for (const [i, { precision, plan, loaded }] of precisions.entries()) {
    const [mostError, mostOfPeer] = GOALS[precision];
    const error = relativeError(await loaded.run(logMel), golden);
    const ratio = times[i].min / theirs.min;
    rows.push({
      what: `encoder ${precision}, ${bench.model}`,
      time: times[i],
      rate: { value: operationsIn(plan) / times[i].min, unit: "FLOP" },
      error,
      verdicts: [
        { goal: `≤ ${mostError.toExponential(0)}`, met: error <= mostError },
        ...(typeof peer === "string" ? [] : [{
          goal: `${ratio.toFixed(2)} ≤ ${mostOfPeer} × onnxruntime`,
          met: ratio <= mostOfPeer,
        }]),
      ],
      note: `${(100 * leastSeconds(plan, bench.peaks) / times[i].min).toFixed(0)} % of its arithmetic's peak`,
    });
    for (const [j, clip] of precision === "f32" ? [] : clips.entries()) {
      const error = relativeError(await loaded.run(clip.logMel), exact[j]);
      rows.push({
        what: `  ${clip.name}`,
        error,
        verdicts: [{ goal: `≤ ${mostError.toExponential(0)}`, met: error <= mostError }],
      });
    }
  }
  if (typeof peer !== "string") {
    rows.push({
      what: peer.name,
      time: theirs,
      rate: { value: operationsIn(precisions[0].plan) / theirs.min, unit: "FLOP" },
      error: relativeError(await peer.encode(logMel), golden),
      note: "same weights",
    });
  }
  for (const { precision, plan, loaded } of precisions) {
    rows.push({ what: `steps in ${precision}`, note: loaded.arithmetic });
    const steps: Float64Array[] = [];
    for (let round = 0; round < Math.min(bench.rounds, 5); round++) {
      steps.push((await loaded.profile(logMel)).seconds);
    }
    const least = Float64Array.from(plan.steps, (_, i) => Math.min(...steps.map((seconds) => seconds[i])));
    rows.push(...profileRows(plan.steps, least));
  }
  return { rows, skipped: typeof peer === "string" ? [peer] : [] };
}

interface Loaded {
  readonly precision: keyof typeof GOALS;
  readonly plan: Plan;
  readonly loaded: CpuLoadedPlan;
}

function operationsIn(plan: Plan): number {
  return plan.steps.reduce((sum, step) => sum + operationsOf(step), 0);
}

/** What a plan's products would take at the peak of each one's arithmetic, and nothing else. */
function leastSeconds(plan: Plan, peaks: Peaks): number {
  return plan.steps.reduce((sum, step) => {
    if (!("arithmetic" in step)) return sum;
    return sum + operationsOf(step) / peaks.of(step.arithmetic);
  }, 0);
}

/** Steps of one kind and shape added up, in the order of the plan. */
function profileRows(steps: readonly Step[], seconds: Float64Array): Row[] {
  const kinds = new Map<string, { count: number; seconds: number; operations: number }>();
  steps.forEach((step, i) => {
    const kind = kinds.get(kindOf(step)) ?? { count: 0, seconds: 0, operations: 0 };
    kind.count++;
    kind.seconds += seconds[i];
    kind.operations += operationsOf(step);
    kinds.set(kindOf(step), kind);
  });
  const total = seconds.reduce((sum, value) => sum + value, 0);
  return [...kinds].map(([name, kind]) => {
    const value = kind.operations / kind.seconds;
    return {
      what: `  ${kind.count} × ${name}`,
      time: { min: kind.seconds, median: kind.seconds },
      ...(kind.operations > 0 ? { rate: { value, unit: "FLOP" as const } } : {}),
      note: `${(100 * kind.seconds / total).toFixed(1)} %`,
    };
  });
}

function kindOf(step: Step): string {
  switch (step.op) {
    case "transpose":
      return "transpose";
    case "conv1d":
      return `conv1d ${step.arithmetic} ${step.channelsIn}→${step.channelsOut}, stride ${step.stride}`;
    case "layernorm":
      return "layer norm";
    case "gemm":
      return `gemm ${step.arithmetic} ${step.M}×${step.K}×${step.N}${
        step.activation === "gelu" ? " gelu" : ""
      }${step.residual === null ? "" : " +"}`;
    case "attention":
      return `attention ${step.arithmetic}, ${step.heads} heads × ${step.headWidth}`;
  }
}
