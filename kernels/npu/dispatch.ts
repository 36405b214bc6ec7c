/**
 * Which steps of a plan go to the NPU and which to the CPU device beside it, by predicted times.
 *
 * @module
 */

import { CpuDevice } from "../cpu/device.ts";
import type { Plan, Step } from "../step.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { NpuClock } from "./clock.ts";
import type { HostRates } from "./cost_model.ts";
import { demandsOf, productOf } from "./demands.ts";
import type { OverlayDesign } from "./design.ts";
import type { NpuHost } from "./host.ts";
import type { NpuPolicy } from "./policy.ts";
import { type DevicePolicy, type Selection, selectKernels } from "./select.ts";

/** What was decided for a plan. */
export interface Dispatch {
  /** Whether a step is left to the CPU. */
  readonly onCpu: (step: Step) => boolean;
  /** The choices with their reasons; `explainSelection` prints them. */
  readonly selection: Selection;
}

/** Seconds that each of the host's rates is measured for. */
const MEASURE_SECONDS = 0.02;
/** Products of an encoder reach this part of the peak on the CPU device (`deno task bench`). */
const CPU_SHARE_OF_PEAK = 0.8;
/** A conversion reads four bytes and writes two for what bandwidth counts as four read. */
const CONVERT_SHARE_OF_BANDWIDTH = 0.5;
/** The portable device: a multiply-add in a few nanoseconds, on one thread. */
const PORTABLE_RATES: HostRates = { convert: 0.5, cpu: 1 };

/** What the host does in a nanosecond, measured in about 40 ms. */
export async function measureHost({ device }: NpuHost): Promise<HostRates> {
  if (!(device instanceof CpuDevice)) return PORTABLE_RATES;
  return {
    cpu: CPU_SHARE_OF_PEAK * await device.measure("f32_peak", MEASURE_SECONDS) / 1e9,
    convert: CONVERT_SHARE_OF_BANDWIDTH * await device.measure("read_bandwidth", MEASURE_SECONDS) / 1e9,
  };
}

/**
 * Decides for a plan.
 *
 * @param where `npu` sends all that the NPU can do there, `hybrid` each product where it is predicted to be faster.
 */
export function dispatchPlan(
  plan: Plan,
  { design, policy, clock, rates, where }: {
    readonly design: OverlayDesign;
    readonly policy: NpuPolicy;
    readonly clock: NpuClock;
    readonly rates: HostRates;
    readonly where: DevicePolicy;
  },
): Dispatch {
  const kernels = CATALOGUE.filter((kernel) => {
    const program = kernel.design?.programs[kernel.program];
    if (program === undefined || !design.programs.includes(program)) return false;
    return program.kind === "attention" || (program.kind === "matmul" && program.input === policy.linear);
  });
  const selection = selectKernels(demandsOf(plan), kernels, clock, rates, where);
  const left = new Set(
    selection.choices.filter(({ device }) => device === "cpu").map(({ demand }) => keyOf(demand.size)),
  );
  const onCpu = (step: Step): boolean => {
    if (step.op === "attention") return selection.attention?.device === "cpu";
    const size = productOf(step);
    return size !== null && left.has(keyOf(size));
  };
  return { onCpu, selection };
}

function keyOf({ M, K, N }: { readonly M: number; readonly K: number; readonly N: number }): string {
  return `${M}×${K}×${N}`;
}
