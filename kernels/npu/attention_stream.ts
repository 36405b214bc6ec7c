/**
 * Generates the instruction stream of attention: all heads of a layer in one launch.
 *
 * Each column of compute tiles works for itself. It takes rows·queries rows of Q of one head (MM2S 0), then all tiles of
 * that head's keys, each K tile followed by its V tile (MM2S 1), and gives as many rows of O (S2MM 0). These pieces of
 * work, heads × row blocks, are dealt out to the columns in turn. The array goes in rounds of all columns: where the last
 * round has too few pieces, the columns left over do its last piece again and write the same values to the same place.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { roundUp } from "../../tensor/pad.ts";
import { type AttentionProgram, checkDesign, type OverlayDesign, TYPE_BITS } from "./design.ts";
import { LIMITS } from "./shim_dma.ts";
import { BATCH_TASKS, type PlacedTransfer, StreamBuilder } from "./stream_builder.ts";
import type { Transaction } from "./transaction.ts";

/** Attention of all heads over one window; memory is [rows, 3C] for Q, K and V side by side, and [rows, C] for O. */
export interface AttentionProblem {
  /** Frames that attend to each other; later rows of the buffers are masked. */
  readonly T: number;
  /** Heads; head h is columns h·width… of Q, of K, of V, and of O. */
  readonly heads: number;
  /** Buffer of Q, K, V, and where they start, bytes; default bo0. */
  readonly input?: { readonly argument: number; readonly offset: number };
  /** Buffer of O, and where it starts, bytes; default bo1. */
  readonly output?: { readonly argument: number; readonly offset: number };
  /** Factor of the scores; default 1/√width. */
  readonly scale?: number;
}

/** Rows that the buffers of an attention must have: T, rounded up to whole row blocks. */
export function attentionRows(design: OverlayDesign, program: AttentionProgram, T: number): number {
  return roundUp(T, design.rows * program.queries);
}

/** The overlay's attention program and its index. */
export function attentionProgram(design: OverlayDesign): { index: number; program: AttentionProgram } {
  const index = design.programs.findIndex((program) => program.kind === "attention");
  const program = design.programs[index];
  if (program?.kind !== "attention") {
    throw new SottoError("E_OPTION", "Cannot generate a stream because the overlay has no attention program");
  }
  return { index, program };
}

function requireProblem(design: OverlayDesign, program: AttentionProgram, problem: AttentionProblem): void {
  const tiles = Math.ceil(problem.T / program.queries);
  const rule = !Number.isInteger(problem.T) || problem.T < 1
    ? `T must be 1 or more: got ${problem.T}`
    : tiles > LIMITS.iterations
    ? `T may be at most ${LIMITS.iterations * program.queries} frames: got ${problem.T}`
    : !Number.isInteger(problem.heads) || problem.heads < 1
    ? `there must be heads: got ${problem.heads}`
    : design.runtime === null
    ? "the overlay has no runtime words"
    : null;
  if (rule !== null) throw new SottoError("E_OPTION", `Cannot generate an attention stream because ${rule}`);
}

/** The transfers of one piece of work: rows `block`… of head `head`, on one column. */
function pieceOf(
  design: OverlayDesign,
  program: AttentionProgram,
  problem: AttentionProblem,
  piece: { readonly column: number; readonly head: number; readonly block: number },
): PlacedTransfer[] {
  const words = (type: "input" | "output", values: number) => values * TYPE_BITS[program[type]] / 32;
  const { queries, width } = program;
  const C = problem.heads * width;
  const blockRows = design.rows * queries;
  const row = { input: words("input", 3 * C), output: words("output", C) };
  const head = { input: words("input", width), output: words("output", width) };
  const at = (type: "input" | "output", index: number, rows: number, columns: number) => {
    const place = problem[type] ?? { argument: index, offset: 0 };
    const skipped = rows * row[type] + words(type, columns);
    return { argument: place.argument, offset: place.offset + 4 * skipped };
  };
  const once = { repeats: 1, repeatStep: 0, blocks: 1, blockStep: 0 };
  const { column } = piece;
  const first = piece.head * width;
  return [
    {
      column,
      direction: "s2mm",
      channel: 0,
      pattern: { ...once, rows: blockRows, rowStep: row.output, words: head.output },
      ...at("output", 1, piece.block * blockRows, first),
    },
    {
      column,
      direction: "mm2s",
      channel: 0,
      pattern: { ...once, rows: blockRows, rowStep: row.input, words: head.input },
      ...at("input", 0, piece.block * blockRows, first),
    },
    {
      column,
      direction: "mm2s",
      channel: 1,
      pattern: {
        repeats: Math.ceil(problem.T / queries),
        repeatStep: queries * row.input,
        blocks: 2, // the K tile, then the V tile
        blockStep: words("input", C),
        rows: queries,
        rowStep: row.input,
        words: head.input,
      },
      ...at("input", 0, 0, C + first),
    },
  ];
}

/**
 * The stream of attention over one or more windows, each over before the next begins: a later one may write over the rows
 * that an earlier one's output was padded with. Buffers have {@linkcode attentionRows} rows.
 *
 * @throws {SottoError} E_OPTION if the overlay has no attention program, or T is more than 64 tiles of keys.
 */
export function attentionStream(design: OverlayDesign, problems: readonly AttentionProblem[]): Transaction {
  checkDesign(design);
  const { index, program } = attentionProgram(design);
  const stream = new StreamBuilder();
  for (const problem of problems) {
    requireProblem(design, program, problem);
    const blocks = attentionRows(design, program, problem.T) / (design.rows * program.queries);
    const last = problem.heads * blocks - 1;
    const rounds = Math.ceil((last + 1) / design.columns);
    const pieces = Array.from({ length: rounds * design.columns }, (_, i) => ({
      column: i % design.columns,
      head: Math.floor(Math.min(i, last) / blocks),
      block: Math.min(i, last) % blocks,
    }));
    stream.settle();
    stream.runtime(design, {
      program: index,
      tiles: Math.ceil(problem.T / program.queries),
      keys: problem.T,
      scale: problem.scale ?? 1 / Math.sqrt(program.width),
    });
    const perBatch = BATCH_TASKS * design.columns;
    for (let start = 0; start < pieces.length; start += perBatch) {
      const batch = pieces.slice(start, start + perBatch);
      stream.batch(batch.flatMap((piece) => pieceOf(design, program, problem, piece)));
    }
  }
  return stream.finish(design);
}
