/**
 * A report as Markdown, for the documentation.
 *
 * @module
 */

import { type Report, type Row, rowCells } from "./report.ts";

/** When and how a report was made. */
export interface Circumstances {
  /** ISO date. */
  readonly date: string;
  /** As it would be typed. */
  readonly command: string;
  /** Processes that wanted a core when it began, on average over five minutes, and cores. */
  readonly load: number;
  readonly cores: number;
  /** Deno, the operating system. */
  readonly versions: string;
}

/** Beside a benchmark's own threads: more than this many others that want a core make times unreliable. */
const QUIET_LOAD = 0.5;

/** Tables that are Markdown already. */
export interface FurtherTables {
  /** As the work grows. */
  readonly growth?: string;
  /** Of whole transcriptions. */
  readonly whole?: string;
}

/** Writes a report down. */
export function reportMarkdown(
  report: Report,
  circumstances: Circumstances,
  { growth, whole }: FurtherTables = {},
): string {
  const { machine, rows, peers, words, notes = [], skipped } = report;
  const { date, command, load, cores, versions } = circumstances;
  const shared = load <= QUIET_LOAD
    ? "The machine did nothing else."
    : `The machine did other work too (load ${
      load.toFixed(1)
    } on ${cores} cores as it began): the least times say more than the medians.`;
  const parts = [
    `# Benchmark: ${machine.device}`,
    `${date}, ${versions}. ${shared} Made by`,
    `    ${command}`,
    `Peaks measured in the same run: ${giga(machine.f32Peak)} GFLOP/s in F32, ${
      giga(machine.readBandwidth)
    } GB/s read from memory. Errors are relative L2.`,
    "## Stages",
    rowsTable(rows, machine),
    ...(peers ? ["## The encoder beside its peers", PEERS, rowsTable(peers, machine)] : []),
    ...(notes.length > 0 ? [notes.map((line) => `- ${line}`).join("\n")] : []),
    ...(words ? ["## Words", WORDS, rowsTable(words, machine)] : []),
    ...(whole ? ["## Whole transcriptions", WHOLE, whole] : []),
    ...(growth ? ["## As the work grows", GROWTH, growth] : []),
    ...(skipped.length > 0 ? ["## Left out", skipped.map((line) => `- ${line}`).join("\n")] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

const PEERS =
  `One window of 30 s, the encoder of Whisper base, runs in turns; × is of the fastest peer in FP32. The time of
whisper.cpp counts the keys and values of its decoder's cross-attention too, and its program does not show features.`;
const WORDS =
  `Whisper base's encoder with a small decoder for voice commands, on the recordings of the demo model: as they are, and with
a little silence before them, 4 ms more each time, by which alone other words go wrong; ± is the standard error over these
hearings. Next token: how often another one is the likeliest than in f32, after each of what f32 writes, and Kullback and
Leibler's divergence in nats.`;
const WHOLE =
  `From the file to the text. Audio is read once below five minutes and twice above; mel includes voice activity; tokens are
the rules and the choice; rest is segments and text, with words their path. Shares of windows side by side do not add up.`;
const GROWTH =
  `Random weights of true shape in F16, mapped from a file; peak memory counts the mapped pages, the Deno runtime, the
F32 encoder and the decoder. Lengths are those of the bundled demo model, greedy, on a recording put together by repetition.`;

const giga = (value: number): string => (value / 1e9).toFixed(0);

function rowsTable(rows: readonly Row[], machine: Report["machine"]): string {
  return markdownTable(
    ["", "min, ms", "median, ms", "rate", "of peak", "error", "verdict"],
    rows.map((row) => rowCells(row, machine).map((cell) => cell.trim())),
  );
}

/** A table in Markdown, columns aligned; the first and a last one for remarks to the left. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isText = (column: number): boolean => column === 0 || head[column] === "verdict";
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${
      cells.map((cell, i) => isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(" | ")
    } |`;
  const rule = widths.map((width, i) => isText(i) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
