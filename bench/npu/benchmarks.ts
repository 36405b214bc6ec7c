/**
 * Five benchmarks of the encoder on an NPU: latency of layers, throughput, bandwidth to the device, power, and windows that
 * are worked on together.
 *
 * Seconds of the emulated NPU say how fast the model computes, nothing of a real one; its modelled times do.
 *
 * @module
 */

import { planEncoder } from "../../encoder/plan.ts";
import type { NpuDevice } from "../../kernels/npu/device.ts";
import { clockOf } from "../../kernels/npu/mod.ts";
import { layerTimes, profileLines, profileTable, rooflineOf } from "../../kernels/npu/profile.ts";
import { profileSince, usageSince } from "../../kernels/npu/statistics.ts";
import type { EncoderDimensions } from "../../model/dimensions.ts";
import type { WeightStore } from "../../model/weights.ts";
import { powerDuring } from "./power.ts";
import { textTable } from "./text_table.ts";

const BATCHES = [1, 2, 4, 8];
const TRANSFER_BYTES = 16 << 20;
const TRANSFERS = 8;
const WINDOW_SECONDS = 30;

/** What is measured on. */
export interface Measured {
  readonly dims: EncoderDimensions;
  readonly weights: WeightStore;
  /** A log-mel. */
  readonly input: Float32Array<ArrayBuffer>;
  /** Windows for the first two. */
  readonly rounds: number;
}

/** The NPU twice: with windows in two groups that overlap, and all that wait in one product. */
export interface BatchDevices {
  readonly device: NpuDevice;
  readonly joined: NpuDevice;
}

/** The p-th percentile, the nearest rank. */
function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p / 100 * sorted.length) - 1)];
}

/** Runs all five and answers with lines of text. */
export async function benchmarks(devices: BatchDevices, measured: Measured): Promise<string> {
  const { device } = devices;
  const { dims, weights, input, rounds } = measured;
  const plan = planEncoder(dims);
  using loaded = await device.loadPlan(plan, weights);
  await loaded.run(input);
  const layers: { layer: number; modelled: number; wall: number }[] = [];
  let seconds = 0;
  const start = { usage: device.usage(), profile: device.profile() };
  const power = await powerDuring(async () => {
    for (let round = 0; round < rounds; round++) {
      const before = device.profile();
      const begun = performance.now();
      await loaded.run(input);
      seconds += (performance.now() - begun) / 1000;
      for (const { layer, modelled, wait, host } of layerTimes(profileSince(before, device.profile()))) {
        if (layer >= 0) layers.push({ layer, modelled: modelled + host, wall: wait + host });
      }
    }
  });
  const used = device.usage();
  const modelled = (used.modelledSeconds - start.usage.modelledSeconds) / rounds;
  const hostSeconds = (used.hostSeconds - start.usage.hostSeconds) / rounds;
  const latency = (name: string, values: readonly number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    return [name, ...[50, 95, 99].map((p) => percentile(sorted, p).toFixed(2))];
  };
  const byLayer = Map.groupBy(layers, ({ layer }) => layer);
  const { description, design } = device.session!;
  const clock = clockOf(description.clock, description.generation);
  const type = device.policy.linear;
  const profile = profileSince(start.profile, device.profile());
  return [
    `1. Latency of a layer over ${rounds} windows, ms (modelled NPU + measured host)`,
    textTable([
      ["", "p50", "p95", "p99"],
      ...Array.from(
        byLayer,
        ([layer, its]) => latency(`layer ${layer}`, its.map(({ modelled }) => modelled)),
      ),
      latency("all layers", layers.map(({ modelled }) => modelled)),
      latency("all, in emulation on this machine", layers.map(({ wall }) => wall)),
    ]),
    "",
    `Where the time of these ${rounds} windows went`,
    profileTable(profileLines(profile, rooflineOf(design, clock, type))),
    "",
    "2. Throughput of the encoder",
    textTable([
      ["", "ms a window", "× real time"],
      ...([["modelled NPU + measured host", modelled + hostSeconds], [
        "emulation on this machine",
        seconds / rounds,
      ]] as const)
        .map(([name, each]) => [name, (1000 * each).toFixed(1), (WINDOW_SECONDS / each).toFixed(0)]),
    ]),
    "",
    "3. Host to device and back",
    await bandwidth(device, clock.memory),
    "",
    `4. Power: ${power}`,
    "",
    "5. Windows together",
    await batches(devices, measured),
  ].join("\n");
}

async function bandwidth(device: NpuDevice, modelled: number): Promise<string> {
  const { contexts, design } = device.session!;
  using overlay = await contexts.acquire(design);
  using buffer = await overlay.kernel.buffer(0, TRANSFER_BYTES);
  const bytes = new Uint8Array(TRANSFER_BYTES).fill(1);
  const rate = async (transfer: () => Promise<void>) => {
    await transfer();
    const start = performance.now();
    for (let i = 0; i < TRANSFERS; i++) await transfer();
    return `${(TRANSFERS * TRANSFER_BYTES / (performance.now() - start) / 1e6).toFixed(1)} GB/s`;
  };
  return textTable([
    [`${TRANSFER_BYTES >> 20} MiB`, "rate"],
    ["written and flushed, this machine", await rate(() => buffer.write(bytes))],
    ["read back, this machine", await rate(() => buffer.read(bytes))],
    ["the NPU's DMA, modelled", `${modelled} GB/s`],
  ]);
}

/**
 * Windows that are asked for together, as they run: as one product, and in two groups that overlap. Launches, bytes and the
 * NPU's time are counted while they run. The host's is measured where it is alone: beside an overlapping group it shares the
 * cores with the emulation. That all of the shorter hides behind the longer is assumed.
 */
async function batches(
  { device, joined }: BatchDevices,
  { dims, weights, input }: Measured,
): Promise<string> {
  const rows: (string | number)[][] = [];
  const hostOf = new Map<number, number>();
  for (const [how, one] of [["one product", joined], ["two groups", device]] as const) {
    using loaded = await one.loadPlan(planEncoder(dims), weights);
    for (const windows of BATCHES) {
      if (one === device && windows === 1) continue; // the same
      const before = one.usage();
      const start = performance.now();
      await Promise.all(Array.from({ length: windows }, () => loaded.run(input)));
      const seconds = (performance.now() - start) / 1000;
      const used = usageSince(before, one.usage());
      const each = (value: number, digits = 1) => (value / windows).toFixed(digits);
      const overlaps = one === device;
      if (!overlaps) hostOf.set(windows, 1000 * used.hostSeconds);
      const [npu, host] = [1000 * used.modelledSeconds, hostOf.get(windows)!];
      rows.push([
        `${windows} in ${how}`,
        each(used.launches),
        each(used.bytesIn / 2 ** 20),
        each(npu),
        each(host),
        each(overlaps ? Math.max(npu, host) : npu + host),
        each(1000 * seconds, 0),
      ]);
    }
  }
  return textTable([
    [
      "each window of",
      "launches",
      "MiB in",
      "NPU ms, modelled",
      "host ms, measured",
      "both ms, modelled",
      "emulation ms",
    ],
    ...rows,
  ]);
}
