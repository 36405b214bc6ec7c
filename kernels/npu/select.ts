/**
 * Chooses the overlay, and for each product of a plan the kernel and the device: NPU or CPU.
 *
 * All products of a run use one overlay, because changing it costs more than most products do. For each overlay every
 * product takes its fastest kernel there, or the CPU where that is faster still; the overlay with the least time wins.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { designText } from "./design.ts";
import type { GemmKernel, ProductSize } from "./catalogue.ts";
import type { NpuClock } from "./clock.ts";
import { costOfProduct, costOnCpu, type HostRates, type ProductCost } from "./cost_model.ts";
import { planProduct, type ProductPlan } from "./tiling.ts";

/** A product of a run. */
export interface ProductDemand {
  /** For people, such as `layers 0-5 query, key, value`. */
  readonly name: string;
  /** Its size. */
  readonly size: ProductSize;
  /** How often a run does it. */
  readonly count: number;
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
  readonly cost: ProductCost;
  /** Predicted for one such product on the CPU, ns. */
  readonly cpu: number;
  /** Rows from which on the NPU is faster for these K and N; null if it never is. */
  readonly threshold: number | null;
  /** Why, in a few words. */
  readonly reason: string;
}

/** The choices of a run. */
export interface Selection {
  /** One for each product. */
  readonly choices: readonly ProductChoice[];
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
  const device = policy === "npu" || cost.total <= cpu ? "npu" : "cpu";
  const bound = cost.launch > Math.max(cost.compute, cost.transfer)
    ? "launches"
    : cost.compute >= cost.transfer
    ? "arithmetic"
    : "DMA";
  const reason = device === "cpu"
    ? threshold === null ? "the CPU is faster at any size" : `the CPU is faster below ${threshold} rows`
    : policy === "npu" && cost.total > cpu
    ? "asked for, though the CPU is faster"
    : `bound by ${bound}`;
  return { demand, device, plan, cost, cpu, threshold, reason };
}

/**
 * Chooses for a run.
 *
 * @param kernels Those of the run's precision and generation.
 * @throws {SottoError} E_OPTION if there are none, or no products.
 */
export function selectKernels(
  demands: readonly ProductDemand[],
  kernels: readonly GemmKernel[],
  clock: NpuClock,
  host: HostRates,
  policy: DevicePolicy = "hybrid",
): Selection {
  if (kernels.length === 0 || demands.length === 0) {
    throw new SottoError(
      "E_OPTION",
      "Cannot choose NPU kernels because there are no kernels, or no products",
    );
  }
  const overlays = Map.groupBy(kernels, (kernel) => designText(kernel.design));
  const selections = Array.from(overlays.values(), (sameOverlay) => {
    const choices = demands.map((demand) => choose(demand, sameOverlay, clock, host, policy));
    const time = (choice: ProductChoice) => choice.device === "npu" ? choice.cost.total : choice.cpu;
    return {
      choices,
      launches: choices.reduce(
        (sum, choice) => sum + (choice.device === "npu" ? choice.demand.count * choice.plan.launches : 0),
        0,
      ),
      total: choices.reduce((sum, choice) => sum + choice.demand.count * time(choice), 0),
      source: clock.source,
    };
  });
  return selections.reduce((best, selection) => selection.total < best.total ? selection : best);
}

/** A table of rows of cells, columns aligned: the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 || column === row.length - 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ").trimEnd()
  );
}

/** The choices as a table, with the reason for each; modelled times are called so. */
export function explainSelection(selection: Selection): string {
  const npuTitle = `NPU ms ${selection.source}`;
  const header = [
    "product",
    "M×K×N",
    "times",
    "device",
    "kernel",
    "launches",
    npuTitle,
    "CPU ms",
    "from rows",
    "why",
  ];
  const rows = selection.choices.map(({ demand, device, plan, cost, cpu, threshold, reason }) => [
    demand.name,
    `${demand.size.M}×${demand.size.K}×${demand.size.N}`,
    String(demand.count),
    device,
    plan.kernel.name,
    String(plan.launches),
    milliseconds(cost.total),
    milliseconds(cpu),
    threshold === null ? "never" : String(threshold),
    reason,
  ]);
  const sum = `${selection.launches} launches, ${
    milliseconds(selection.total)
  } ms ${selection.source} in all`;
  return [...table([header, ...rows]), sum].join("\n");
}
