/**
 * How long a product takes on a kernel: launches, instructions, and the slower of arithmetic and DMA; and what the host
 * does for it.
 *
 *     launch      launches × (time of a launch + operations of its stream × time of one)
 *     compute     rounds × (2·m·k·n·K/k ÷ rate of a tile + time of a round); all tiles work at once
 *     transfer    the busiest channel, or all together: bytes ÷ rate
 *     host        bytes converted into buffers and out of them ÷ rate; sums over chunks of K read and write C again
 *
 * @module
 */

import { type ProductSize, programOf, tilesOf } from "./catalogue.ts";
import { clockTypeOf, type NpuClock } from "./clock.ts";
import { bytesOf } from "./design.ts";
import { type AttentionPlan, type ProductPlan, streamOperations } from "./tiling.ts";

/** What the host needs for a byte, beside the NPU. */
export interface HostRates {
  /** Bytes of F32 turned into a kernel's type, or back, with their caches flushed, bytes/ns. */
  readonly convert: number;
  /** Operations of the CPU device in this precision, all threads, operations/ns. */
  readonly cpu: number;
}

/** The parts of a predicted time, ns. */
export interface NpuCost {
  /** Launches and instructions. */
  readonly launch: number;
  /** Arithmetic of the tiles. */
  readonly compute: number;
  /** DMA. */
  readonly transfer: number;
  /** Conversions on the host; they can overlap with other launches, but are counted in full. */
  readonly host: number;
  /** launch + max(compute, transfer) + host. */
  readonly total: number;
  /** Operations that the product needs ÷ (total time × what all tiles could do), 0…1. */
  readonly shareOfPeak: number;
}

/** Bytes of A that go into the array: all of it for each block of columns. */
function aBytes(plan: ProductPlan): number {
  const { design } = plan.kernel;
  const { input, n } = programOf(plan.kernel);
  const sent = plan.launch.N / (design.columns * n);
  return plan.launches * sent * bytesOf(input, plan.launch.M * plan.launch.K);
}

/** Bytes through the busiest channel. */
function busiestChannel(plan: ProductPlan): number {
  const { design } = plan.kernel;
  const feeders = Math.min(design.columns, design.rows);
  const a = aBytes(plan);
  return Math.max(a / feeders, (plan.bytes.in - a) / design.columns, plan.bytes.out / design.columns);
}

/** F32 bytes that the host reads or writes around the launches; B is converted once, when the weights are loaded. */
function hostBytes(plan: ProductPlan): number {
  const { size, counts } = plan;
  const inputs = size.M * size.K * counts.N;
  const outputs = size.M * size.N * (counts.K === 1 ? 1 : 2 * counts.K);
  return 4 * (inputs + outputs);
}

/** Predicts a product's time on a kernel. */
export function costOfProduct(plan: ProductPlan, clock: NpuClock, host: HostRates): NpuCost {
  const program = programOf(plan.kernel);
  const rate = clock.rate[clockTypeOf(program)];
  const launch = plan.launches * (clock.launch + streamOperations(plan) * clock.instruction);
  const tileOperations = 2 * program.m * program.n * plan.launch.K;
  const compute = plan.rounds * (tileOperations / rate + clock.round);
  const transfer = Math.max(
    busiestChannel(plan) / clock.channel,
    (plan.bytes.in + plan.bytes.out) / clock.memory,
  );
  const hostTime = hostBytes(plan) / host.convert;
  const total = launch + Math.max(compute, transfer) + hostTime;
  const needed = plan.operations * plan.useful;
  return {
    launch,
    compute,
    transfer,
    host: hostTime,
    total,
    shareOfPeak: needed / (total * rate * tilesOf(plan.kernel.design)),
  };
}

/** Predicts a product's time on the CPU device. */
export function costOnCpu(size: ProductSize, host: HostRates): number {
  return 2 * size.M * size.K * size.N / host.cpu;
}

/** Predicts attention's time on a kernel, for one layer. */
export function costOfAttention(plan: AttentionPlan, clock: NpuClock, host: HostRates): NpuCost {
  const { kernel, T, heads } = plan;
  const program = kernel.design?.programs[kernel.program];
  const rate = clock.rate[program === undefined ? "i8" : clockTypeOf(program)];
  const columns = kernel.design?.columns ?? 1;
  const launch = plan.launches * (clock.launch + plan.streamOperations * clock.instruction);
  const tileOperations = 4 * kernel.tile ** 2 * kernel.width * plan.keyTiles;
  const compute = plan.rounds * (tileOperations / rate + clock.round);
  const transfer = Math.max(
    plan.bytes.in / columns / clock.channel, // nearly all of it is keys and values, on one channel of each column
    (plan.bytes.in + plan.bytes.out) / clock.memory,
  );
  const hostTime = 4 * 4 * T * heads * kernel.width / host.convert; // Q, K, V into buffers and O out, F32
  const total = launch + Math.max(compute, transfer) + hostTime;
  const tiles = kernel.design === null ? 1 : tilesOf(kernel.design);
  return {
    launch,
    compute,
    transfer,
    host: hostTime,
    total,
    shareOfPeak: attentionOperations(plan) / (total * rate * tiles),
  };
}

/** Operations that attention of a layer needs. */
function attentionOperations({ T, heads, kernel }: AttentionPlan): number {
  return 4 * T ** 2 * heads * kernel.width;
}

/** Predicts attention's time on the CPU device, for one layer. */
export function attentionOnCpu(plan: AttentionPlan, host: HostRates): number {
  return attentionOperations(plan) / host.cpu;
}
