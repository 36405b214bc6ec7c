/**
 * Judgements as a table.
 *
 * @module
 */

import { addErrors, type ErrorCounts, errorRate, NO_ERRORS } from "./errors_between.ts";
import type { Judgement } from "./judge.ts";

/** A recording transcribed and judged. */
export interface Run extends Judgement {
  readonly name: string;
  /** Seconds of audio, and of work. */
  readonly audio: number;
  readonly seconds: number;
}

/** A line of the table: some recordings together. */
export interface Row {
  readonly name: string;
  readonly words: ErrorCounts;
  readonly wordErrorRate: number;
  readonly characterErrorRate: number;
  /** Seconds of audio for each second of work. */
  readonly realTimeFactor: number;
  /** Sentences with a segment of their own, and how far off it is on average, in seconds; null where there are none. */
  readonly timed: number;
  readonly startError: number | null;
  readonly endError: number | null;
}

/** Some recordings in one line: rates over all of their words, not means of rates. */
export function rowOf(name: string, runs: readonly Run[]): Row {
  const words = runs.map(({ words }) => words).reduce(addErrors, NO_ERRORS);
  const characters = runs.map(({ characters }) => characters).reduce(addErrors, NO_ERRORS);
  const starts = runs.flatMap(({ starts }) => starts);
  const sum = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const mean = (values: readonly number[]) => values.length === 0 ? null : sum(values) / values.length;
  return {
    name,
    words,
    wordErrorRate: errorRate(words),
    characterErrorRate: errorRate(characters),
    realTimeFactor: sum(runs.map(({ audio }) => audio)) / sum(runs.map(({ seconds }) => seconds)),
    timed: starts.length,
    startError: mean(starts),
    endError: mean(runs.flatMap(({ ends }) => ends)),
  };
}

const HEADER = [
  "device, precision",
  "words",
  "WER %",
  "CER %",
  "substituted",
  "deleted",
  "inserted",
  "× real time",
  "sentences timed",
  "start off, s",
  "end off, s",
];

/** The rows as a Markdown table, columns aligned. */
export function table(rows: readonly Row[]): string {
  const seconds = (value: number | null) => value === null ? "–" : value.toFixed(2);
  const cells = rows.map((row) => [
    row.name,
    String(row.words.length),
    (100 * row.wordErrorRate).toFixed(1),
    (100 * row.characterErrorRate).toFixed(1),
    String(row.words.substitutions),
    String(row.words.deletions),
    String(row.words.insertions),
    row.realTimeFactor.toFixed(1),
    String(row.timed),
    seconds(row.startError),
    seconds(row.endError),
  ]);
  const widths = HEADER.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")
  } |`;
  return [line(HEADER), rule, ...cells.map(line)].join("\n");
}
