/**
 * The encoder: time, rate and error, against ONNX Runtime on the same weights, and where its time goes.
 *
 * @module
 */

import { planEncoder } from "../encoder/plan.ts";
import type { CpuDevice } from "../kernels/cpu/device.ts";
import { operationsOf, type Step } from "../kernels/step.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import type { WeightStore } from "../model/weights.ts";
import { openOnnxPeer } from "./onnx_peer.ts";
import type { Peaks } from "./peaks.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";

/** Goals: `f32` within 0.01 % and at most this many times ONNX Runtime's time. */
const MOST_ERROR = 1e-4;
const MOST_OF_PEER = 1.15;

/** What the encoder is measured with. */
export interface EncoderBench {
  readonly model: string;
  readonly dims: EncoderDimensions;
  readonly weights: WeightStore;
  /** F32 [n_mels, 2·n_audio_ctx]. */
  readonly logMel: Float32Array<ArrayBuffer>;
  /** F32 [n_audio_ctx, n_audio_state], what is right for it. */
  readonly golden: Float32Array;
  readonly threads: number;
  readonly rounds: number;
  readonly peaks: Peaks;
}

/** Measures the encoder and its peer in turns, then the steps of one run. */
export async function encoderRows(
  device: CpuDevice,
  bench: EncoderBench,
): Promise<{ rows: Row[]; skipped: string[] }> {
  const { dims, weights, logMel, golden } = bench;
  const plan = planEncoder(dims);
  using loaded = await device.loadPlan(plan, weights);
  const peer = await openOnnxPeer(dims, weights, bench.threads);
  await using _peer = typeof peer === "string" ? null : peer;
  const tasks = [() => loaded.run(logMel), ...(typeof peer === "string" ? [] : [() => peer.encode(logMel)])];
  const [ours, theirs] = await timeInTurns([...tasks, () => bench.peaks.sample()], bench.rounds);

  const operations = plan.steps.reduce((sum, step) => sum + operationsOf(step), 0);
  const rate = (seconds: number) => ({ value: operations / seconds, unit: "FLOP" as const });
  const error = relativeError(await loaded.run(logMel), golden);
  const rows: Row[] = [{
    what: `encoder, ${loaded.arithmetic}, ${bench.model}`,
    time: ours,
    rate: rate(ours.min),
    error,
    verdicts: [{ goal: `≤ ${MOST_ERROR.toExponential(0)}`, met: error <= MOST_ERROR }],
  }];
  if (typeof peer !== "string") {
    const ratio = ours.min / theirs.min;
    rows.push({
      what: peer.name,
      time: theirs,
      rate: rate(theirs.min),
      error: relativeError(await peer.encode(logMel), golden),
      note: "same weights",
    }, {
      what: "  encoder over it",
      verdicts: [{ goal: `${ratio.toFixed(2)} ≤ ${MOST_OF_PEER} ×`, met: ratio <= MOST_OF_PEER }],
    });
  }
  const steps: Float64Array[] = [];
  for (let round = 0; round < Math.min(bench.rounds, 5); round++) {
    steps.push((await loaded.profile(logMel)).seconds);
  }
  const least = Float64Array.from(plan.steps, (_, i) => Math.min(...steps.map((seconds) => seconds[i])));
  rows.push(...profileRows(plan.steps, least));
  return { rows, skipped: typeof peer === "string" ? [peer] : [] };
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
      return `conv1d ${step.channelsIn}→${step.channelsOut}, stride ${step.stride}`;
    case "layernorm":
      return "layer norm";
    case "gemm":
      return `gemm ${step.M}×${step.K}×${step.N}${step.activation === "gelu" ? " gelu" : ""}${
        step.residual === null ? "" : " +"
      }`;
    case "attention":
      return `attention, ${step.heads} heads × ${step.headWidth}`;
  }
}
