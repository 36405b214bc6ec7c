/**
 * Rows of the benchmark, as a table of 100 columns or as JSON.
 *
 * @module
 */

import type { Timing } from "./timing.ts";

/** A goal, and whether it was met. */
export interface Verdict {
  /** Short: `0.95 ≤ 1.15 ×`. */
  readonly goal: string;
  readonly met: boolean;
}

/** One measurement. */
export interface Row {
  readonly what: string;
  /** Seconds. */
  readonly time?: Timing;
  /** Per second: floating-point operations, or bytes. */
  readonly rate?: { readonly value: number; readonly unit: "FLOP" | "B" };
  /** Relative L2. */
  readonly error?: number;
  readonly verdicts?: readonly Verdict[];
  /** Anything else worth knowing. */
  readonly note?: string;
}

/** What a benchmark run found. */
export interface Report {
  /** The device and what it can do at most. */
  readonly machine: {
    readonly device: string;
    /** Floating-point operations a second. */
    readonly f32Peak: number;
    /** Bytes a second. */
    readonly readBandwidth: number;
  };
  readonly rows: readonly Row[];
  /** The encoder beside its peers, where they were asked for. */
  readonly peers?: readonly Row[];
  /** Word error rates, where they were asked for and there is a model for them. */
  readonly words?: readonly Row[];
  /** What else has to be said. */
  readonly notes?: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

const COLUMNS = ["", "min ms", "median", "rate", "of peak", "error", "verdict"] as const;
const WIDTHS = [30, 8, 8, 9, 8, 9] as const;

/** What stands in the columns for a row. */
export function rowCells(
  { what, time, rate, error, verdicts = [], note }: Row,
  machine: Report["machine"],
): string[] {
  const peaks = { FLOP: machine.f32Peak, B: machine.readBandwidth };
  return [
    what,
    time ? milliseconds(time.min) : "",
    time ? milliseconds(time.median) : "",
    rate ? `${giga(rate.value)} G${rate.unit[0]}/s` : "",
    rate ? `${(100 * rate.value / peaks[rate.unit]).toFixed(0)} %` : "",
    error === undefined ? "" : error.toExponential(1),
    [...verdicts.map(({ goal, met }) => `${met ? "ok" : "MISSED"} ${goal}`), ...(note ? [note] : [])].join(
      ", ",
    ),
  ];
}

/** The report as a table. */
export function formatReport({ machine, rows, peers = [], words = [], notes = [], skipped }: Report): string {
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[column] ?? 0);
  const lineOf = (cells: readonly string[]): string =>
    `${cells.slice(0, -1).map(pad).join("")}  ${cells.at(-1)}`.trimEnd();
  const lines = [[...rows], [...peers], [...words]].filter((part) => part.length > 0).flatMap((part, i) => [
    ...(i > 0 ? [""] : []),
    ...part.map((row) => lineOf(rowCells(row, machine))),
  ]);
  const head = `${machine.device}; peak ${giga(machine.f32Peak)} GFLOP/s, memory ${
    giga(machine.readBandwidth)
  } GB/s`;
  return [
    ...[head, "", lineOf(COLUMNS), ...lines, ""],
    ...[...notes, ...skipped.map((line) => `skipped: ${line}`)],
  ].join("\n").trimEnd();
}

const giga = (value: number): string => (value / 1e9).toFixed(0);

function milliseconds(seconds: number): string {
  const ms = 1000 * seconds;
  return ms.toFixed(ms < 100 ? 2 : 1);
}
