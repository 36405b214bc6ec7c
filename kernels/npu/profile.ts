/**
 * Where an encoder's time on an NPU went, by operation and by layer, and how far it is from what the NPU could do (its
 * roofline: arithmetic, or bytes, whichever is slower).
 *
 * @module
 */

import { tilesOf } from "./catalogue.ts";
import type { NpuClock } from "./clock.ts";
import { alignColumns } from "./columns.ts";
import type { OverlayDesign } from "./design.ts";
import type { OperationTotals } from "./statistics.ts";

/** One kind of operation, all layers together. */
export interface ProfileLine {
  /** Such as `attention`. */
  readonly name: string;
  /** `launch` on the NPU, `rows` and `cpu` on the host. */
  readonly kind: OperationTotals["kind"];
  /** How often. */
  readonly count: number;
  /** Seconds of the host, waiting included. */
  readonly seconds: number;
  /** Modelled seconds of the NPU; 0 of a real one. */
  readonly modelled: number;
  /** Part of the NPU's modelled time; of a real NPU's, of the waiting. */
  readonly share: number;
  /** Operations that the plan needs, for each byte that was moved; null of host work. */
  readonly intensity: number | null;
  /** Operations ÷ (time × what all tiles could do), 0…1; null without a model's time. */
  readonly shareOfPeak: number | null;
  /** What the roofline says it is bound by at that intensity. */
  readonly bound: "arithmetic" | "bytes" | null;
}

/** What an NPU can do at most. */
export interface Roofline {
  /** Operations of all tiles, a second, bf16 (the rate of others differs by a constant). */
  readonly operations: number;
  /** Bytes through all channels, a second. */
  readonly bytes: number;
}

/** The roofline of an overlay by a clock, in the type that its linear layers compute in. */
export function rooflineOf(design: OverlayDesign, clock: NpuClock, type: "bf16" | "bfp16" | "i8"): Roofline {
  return { operations: 1e9 * clock.rate[type] * tilesOf(design), bytes: 1e9 * clock.memory };
}

/** Sums over layers, the NPU's largest first. */
export function profileLines(profile: readonly OperationTotals[], roofline: Roofline): ProfileLine[] {
  const groups = Map.groupBy(profile, ({ kind, name }) => `${kind} ${name}`);
  const sums = Array.from(groups.values(), (group) => {
    const sum = (of: (it: OperationTotals) => number) => group.reduce((total, it) => total + of(it), 0);
    return {
      name: group[0].name,
      kind: group[0].kind,
      count: sum((it) => it.count),
      seconds: sum((it) => it.seconds),
      modelled: sum((it) => it.modelled) / 1e9,
      bytes: sum((it) => it.bytesIn + it.bytesOut),
      operations: sum((it) => it.operations),
    };
  });
  const launches = sums.filter(({ kind }) => kind === "launch");
  const isModelled = launches.some(({ modelled }) => modelled > 0);
  const weight = (it: typeof sums[number]) =>
    it.kind !== "launch" ? 0 : isModelled ? it.modelled : it.seconds;
  const total = sums.reduce((sum, it) => sum + weight(it), 0);
  const lines = sums.map((it): ProfileLine => {
    const { name, kind, count, seconds, modelled } = it;
    const isLaunch = kind === "launch";
    const intensity = isLaunch && it.bytes > 0 ? it.operations / it.bytes : null;
    const ridge = roofline.operations / roofline.bytes;
    return {
      name,
      kind,
      count,
      seconds,
      modelled,
      share: total > 0 ? weight(it) / total : 0,
      intensity,
      shareOfPeak: modelled > 0 ? it.operations / (modelled * roofline.operations) : null,
      bound: intensity === null ? null : intensity < ridge ? "bytes" : "arithmetic",
    };
  });
  return lines.sort((a, b) => b.share - a.share || b.seconds - a.seconds);
}

/** Modelled and host milliseconds of each layer; −1 is what comes before the first. */
export function layerTimes(
  profile: readonly OperationTotals[],
): { readonly layer: number; readonly modelled: number; readonly wait: number; readonly host: number }[] {
  const layers = Map.groupBy(profile, ({ layer }) => layer);
  return Array.from(layers, ([layer, group]) => {
    const sum = (of: (it: OperationTotals) => number) => group.reduce((total, it) => total + of(it), 0);
    return {
      layer,
      modelled: sum((it) => it.modelled) / 1e6,
      wait: sum((it) => it.kind === "launch" ? 1000 * it.seconds : 0),
      host: sum((it) => it.kind === "launch" ? 0 : 1000 * it.seconds),
    };
  }).sort((a, b) => a.layer - b.layer);
}

/** The lines as a table; a model's times are called modelled. */
export function profileTable(lines: readonly ProfileLine[]): string {
  const header = [
    "operation",
    "where",
    "times",
    "modelled ms",
    "host ms",
    "share",
    "op/byte",
    "of peak",
    "bound by",
  ];
  const rows = lines.map((line) => [
    line.name,
    line.kind === "launch" ? "NPU" : "host",
    String(line.count),
    line.modelled > 0 ? (1000 * line.modelled).toFixed(2) : "",
    (1000 * line.seconds).toFixed(1),
    line.share > 0 ? `${(100 * line.share).toFixed(1)} %` : "",
    line.intensity?.toFixed(0) ?? "",
    line.shareOfPeak === null ? "" : `${(100 * line.shareOfPeak).toFixed(0)} %`,
    line.bound ?? "",
  ]);
  return alignColumns([header, ...rows]).join("\n");
}
