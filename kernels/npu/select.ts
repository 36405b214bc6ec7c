/**
 * Chooses the overlay, and for each product of a plan the kernel and the device: NPU or CPU.
 *
 * All products of a run use one overlay, because changing it costs more than most products do. For each overlay every
 * product takes its fastest kernel there, or the CPU where that is faster still; the overlay with the least time wins.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { alignColumns } from "./columns.ts";
import { designText } from "./design.ts";
import type { AttentionKernel, GemmKernel, Kernel, ProductSize } from "./catalogue.ts";
import type { NpuClock } from "./clock.ts";
import {
  attentionOnCpu,
  costOfAttention,
  costOfProduct,
  costOnCpu,
  type HostRates,
  type NpuCost,
} from "./cost_model.ts";
import { type AttentionPlan, planAttention, planProduct, type ProductPlan } from "./tiling.ts";

/** A product of a run. */
export interface ProductDemand {
  /** For people, such as `layers 0-5 query, key, value`. */
  readonly name: string;
  /** Its size. */
  readonly size: ProductSize;
  /** How often a run does it. */
  readonly count: number;
}

/** Attention of a run. */
export interface AttentionDemand {
  /** For people. */
  readonly name: string;
  /** Frames that attend to each other. */
  readonly T: number;
  /** Heads. */
  readonly heads: number;
  /** How often a run does it: layers times windows. */
  readonly count: number;
}

/** What a run asks for. */
export interface RunDemand {
  /** Its products. */
  readonly products: readonly ProductDemand[];
  /** Its attention; null to leave it to the CPU. */
  readonly attention: AttentionDemand | null;
}

/** Where products may go. */
export type DevicePolicy =
  /** Each product where it is predicted to be faster. */
  | "hybrid"
  /** All on the NPU. */
  | "npu";

/** What was chosen for a product, and what else there was. */
export interface ProductChoice {
  /** The product. */
  readonly demand: ProductDemand;
  /** Where it goes. */
  readonly device: "npu" | "cpu";
  /** How it would go, or goes, on the NPU. */
  readonly plan: ProductPlan;
  /** Predicted for one such product there. */
  readonly cost: NpuCost;
  /** Predicted for one such product on the CPU, ns. */
  readonly cpu: number;
  /** Rows from which on the NPU is faster for these K and N; null if it never is. */
  readonly threshold: number | null;
  /** Why, in a few words. */
  readonly reason: string;
}

/** What was chosen for attention. */
export interface AttentionChoice {
  /** The attention. */
  readonly demand: AttentionDemand;
  /** Where it goes. */
  readonly device: "npu" | "cpu";
  /** How it would go, or goes, on the NPU. */
  readonly plan: AttentionPlan;
  /** Predicted for one layer there. */
  readonly cost: NpuCost;
  /** Predicted for one layer on the CPU, ns. */
  readonly cpu: number;
  /** Why, in a few words. */
  readonly reason: string;
}

/** The choices of a run. */
export interface Selection {
  /** One for each product. */
  readonly choices: readonly ProductChoice[];
  /** For attention; null where none was asked for, or the overlay has no program for it. */
  readonly attention: AttentionChoice | null;
  /** Launches of a run. */
  readonly launches: number;
  /** Predicted for a run, ns. */
  readonly total: number;
  /** What the predictions rest on. */
  readonly source: NpuClock["source"];
}

/** Most rows that a threshold is looked for up to: 64 windows of 30 s. */
const MOST_ROWS = 96_000;

/**
 * Rows from which on the NPU beats the CPU for products of this K and N. Both costs rise with the rows, the NPU's from a
 * higher start, so there is one crossing; padding makes the NPU's rise in steps, and the answer is the last of them.
 *
 * @returns null if it is not faster for any number of rows up to 96,000.
 */
export function rowThreshold(
  kernel: GemmKernel,
  size: Pick<ProductSize, "K" | "N">,
  clock: NpuClock,
  host: HostRates,
): number | null {
  const npuWins = (M: number) => {
    const product = { M, K: size.K, N: size.N };
    return costOfProduct(planProduct(kernel, product), clock, host).total < costOnCpu(product, host);
  };
  if (!npuWins(MOST_ROWS)) return null;
  let [lost, won] = [0, MOST_ROWS];
  while (won - lost > 1) {
    const middle = Math.floor((lost + won) / 2);
    if (npuWins(middle)) won = middle;
    else lost = middle;
  }
  return won;
}

function milliseconds(nanoseconds: number): string {
  return (nanoseconds / 1e6).toFixed(2);
}

/** What a time on the NPU is made of most. */
function boundOf(cost: NpuCost): string {
  if (cost.host > cost.launch + Math.max(cost.compute, cost.transfer)) return "conversions on the host";
  if (cost.launch > Math.max(cost.compute, cost.transfer)) return "launches";
  return cost.compute >= cost.transfer ? "arithmetic" : "DMA";
}

/** Where to, and why. */
function decide(
  cost: NpuCost,
  cpu: number,
  policy: DevicePolicy,
  slower: string,
): Pick<ProductChoice, "device" | "reason"> {
  if (cost.total <= cpu) return { device: "npu", reason: `bound by ${boundOf(cost)}` };
  return policy === "npu"
    ? { device: "npu", reason: "asked for, though the CPU is faster" }
    : { device: "cpu", reason: slower };
}

function choose(
  demand: ProductDemand,
  kernels: readonly GemmKernel[],
  clock: NpuClock,
  host: HostRates,
  policy: DevicePolicy,
): ProductChoice {
  const options = kernels.map((kernel) => {
    const plan = planProduct(kernel, demand.size);
    return { plan, cost: costOfProduct(plan, clock, host) };
  });
  const { plan, cost } = options.reduce((best, option) =>
    option.cost.total < best.cost.total ? option : best
  );
  const cpu = costOnCpu(demand.size, host);
  const threshold = rowThreshold(plan.kernel, demand.size, clock, host);
  const slower = threshold === null
    ? "the CPU is faster at any size"
    : `the CPU is faster below ${threshold} rows`;
  return { demand, plan, cost, cpu, threshold, ...decide(cost, cpu, policy, slower) };
}

function chooseAttention(
  demand: AttentionDemand | null,
  kernel: AttentionKernel | undefined,
  clock: NpuClock,
  host: HostRates,
  policy: DevicePolicy,
): AttentionChoice | null {
  if (demand === null || kernel === undefined) return null;
  const plan = planAttention(kernel, demand.T, demand.heads);
  const cost = costOfAttention(plan, clock, host);
  const cpu = attentionOnCpu(plan, host);
  return { demand, plan, cost, cpu, ...decide(cost, cpu, policy, "the CPU is faster") };
}

/** The launches and the time of a choice, as often as a run does it. */
function totalOf(choice: ProductChoice | AttentionChoice): { launches: number; time: number } {
  const { device, demand, plan, cost, cpu } = choice;
  return device === "npu"
    ? { launches: demand.count * plan.launches, time: demand.count * cost.total }
    : { launches: 0, time: demand.count * cpu };
}

/**
 * Chooses for a run.
 *
 * @param kernels Those of the run's precision and generation, the overlays' attention among them.
 * @throws {SottoError} E_OPTION if there are none for products, or no products.
 */
export function selectKernels(
  demand: RunDemand,
  kernels: readonly Kernel[],
  clock: NpuClock,
  host: HostRates,
  policy: DevicePolicy = "hybrid",
): Selection {
  const overlays = Map.groupBy(
    kernels.filter((kernel) => kernel.operation === "gemm"),
    (kernel) => designText(kernel.design),
  );
  if (overlays.size === 0 || demand.products.length === 0) {
    throw new SottoError(
      "E_OPTION",
      "Cannot choose NPU kernels because there are no kernels, or no products",
    );
  }
  const selections = Array.from(overlays, ([overlay, sameOverlay]): Selection => {
    const choices = demand.products.map((product) => choose(product, sameOverlay, clock, host, policy));
    const kernel = kernels.find((kernel): kernel is AttentionKernel =>
      kernel.operation === "attention" && kernel.design !== null && designText(kernel.design) === overlay
    );
    const attention = chooseAttention(demand.attention, kernel, clock, host, policy);
    const totals = [...choices, ...(attention === null ? [] : [attention])].map(totalOf);
    return {
      choices,
      attention,
      launches: totals.reduce((sum, { launches }) => sum + launches, 0),
      total: totals.reduce((sum, { time }) => sum + time, 0),
      source: clock.source,
    };
  });
  return selections.reduce((best, selection) => selection.total < best.total ? selection : best);
}

function rowOf(choice: ProductChoice | AttentionChoice, size: string, threshold: string): string[] {
  const { demand, device, plan, cost, cpu, reason } = choice;
  return [
    demand.name,
    size,
    String(demand.count),
    device,
    plan.kernel.name,
    String(plan.launches),
    milliseconds(cost.total),
    milliseconds(cpu),
    threshold,
    reason,
  ];
}

/** The choices as a table, with the reason for each; modelled times are called so. */
export function explainSelection({ choices, attention, launches, total, source }: Selection): string {
  const header = [
    "product",
    "size",
    "times",
    "device",
    "kernel",
    "launches",
    `NPU with host, ms ${source}`,
    "CPU ms",
    "from rows",
    "why",
  ];
  const rows = choices.map((choice) => {
    const { M, K, N } = choice.demand.size;
    return rowOf(choice, `${M}×${K}×${N}`, choice.threshold === null ? "never" : String(choice.threshold));
  });
  if (attention !== null) {
    rows.push(rowOf(attention, `${attention.demand.heads} × ${attention.demand.T}²`, "-"));
  }
  const sum = `${launches} launches, ${
    milliseconds(total)
  } ms ${source} in all, conversions on the host among them`;
  const lines = alignColumns([header, ...rows], (column) => column === 0 || column === header.length - 1);
  return [...lines, sum].join("\n");
}
