/**
 * The DMA of a shim tile, which moves data between host memory and the array: 16 buffer descriptors (BDs), and for each
 * of its four channels a queue of tasks. A task runs a descriptor one or more times.
 *
 * Register offsets and fields are those of AIE-ML's shim tile, the same on XDNA1 and XDNA2. Lengths and steps are 32-bit
 * words, steps and iterations are stored less one:
 *
 *     word 0   length                                    4   burst length << 30 | d1 wrap << 20 | d1 step
 *     word 1   address, low                              5   d2 step
 *     word 2   address, high 16 bits                     6   iteration wrap << 20 | iteration step
 *     word 3   d0 wrap << 20 | d0 step                   7   valid << 25 (locks and the next BD are not used here)
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { type Operation, splitAddress, tileAddress } from "./transaction.ts";

/** Into the array, or out of it. */
export type Direction = "mm2s" | "s2mm";

/** Descriptors of a shim tile. */
export const DESCRIPTORS = 16;
/** Tasks a channel's queue holds beside the one in progress. */
export const QUEUE_DEPTH = 4;
/** Channels in each direction. */
export const CHANNELS = 2;
/** Words of a descriptor. */
export const DESCRIPTOR_WORDS = 8;
/** The most that the fields hold. */
export const LIMITS = {
  /** d0 and d1: 10 bits. */
  wrap: 1023,
  /** Steps, words: 20 bits, stored less one. */
  step: 1 << 20,
  /** Different starts that one task may go through: 6 bits, stored less one. */
  iterations: 64,
  /** Runs of a descriptor by one task: 8 bits, stored less one. */
  repeats: 256,
} as const;

const DESCRIPTOR_BASE = 0x1d000;
const DESCRIPTOR_BYTES = 4 * DESCRIPTOR_WORDS;
const CONTROL = { s2mm: 0x1d200, mm2s: 0x1d210 } as const;
const CHANNEL_BYTES = 8;
/** Bits 8-11 of a channel's control register: which controller gets its tokens. The toolchain's value. */
const TOKEN_CONTROLLER = 0xf00;
const BURST_LENGTH_FIELD = 2; // the longest: 256 bytes
const VALID = 1 << 25;

/**
 * What a task touches, in words: `repeats` times, from starts `repeatStep` apart, `blocks` blocks `blockStep` apart of
 * `rows` rows `rowStep` apart of `words` words. Steps of dimensions that have one element do not matter.
 */
export interface DmaPattern {
  /** Runs of the descriptor, 1…256. */
  readonly repeats: number;
  /** Words from one run's start to the next; 0 repeats the same words. */
  readonly repeatStep: number;
  /** Blocks of a run. */
  readonly blocks: number;
  /** Words. */
  readonly blockStep: number;
  /** Rows of a block, 1…1023. */
  readonly rows: number;
  /** Words. */
  readonly rowStep: number;
  /** Words of a row, 1…1023 unless there is but one row. */
  readonly words: number;
}

/** Words one after the other. */
export function linear(words: number): DmaPattern {
  return { repeats: 1, repeatStep: 0, blocks: 1, blockStep: 0, rows: 1, rowStep: 0, words };
}

/** A transfer between a buffer and a channel. */
export interface ShimTransfer {
  /** Column of the shim tile. */
  readonly column: number;
  /** Into the array (mm2s) or out of it (s2mm). */
  readonly direction: Direction;
  /** 0 or 1. */
  readonly channel: number;
  /** Index of the buffer: 0 for bo0. */
  readonly argument: number;
  /** Where the pattern starts in the buffer, bytes. */
  readonly offset: number;
  /** What it touches. */
  readonly pattern: DmaPattern;
}

/** Refuses a pattern that the fields cannot hold. */
function refuse(rule: string, found: unknown): never {
  throw new SottoError("E_OPTION", `Cannot describe a DMA transfer because ${rule}: got ${found}`, {
    hint: "Smaller tiles, or fewer of them in one task, make it fit.",
  });
}

function requireCount(value: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < 1 || value > most) refuse(`${what} must be 1…${most}`, value);
}

function storedStep(step: number, count: number, what: string): number {
  if (count === 1) return 0;
  requireCount(step, LIMITS.step, `the step between ${what}, in words,`);
  return step - 1;
}

/**
 * The words of a descriptor.
 *
 * @throws {SottoError} E_OPTION if a field cannot hold its value.
 */
export function encodeDescriptor(pattern: DmaPattern): number[] {
  const { repeats, repeatStep, blocks, blockStep, rows, rowStep, words } = pattern;
  requireCount(repeats, LIMITS.repeats, "repeats");
  const length = words * rows * blocks;
  requireCount(length, 2 ** 32 - 1, "the length in words");
  const iterations = repeats > 1 && repeatStep > 0 ? repeats : 1;
  requireCount(iterations, LIMITS.iterations, "repeats from different starts");
  const iteration = (iterations - 1) << 20 | storedStep(repeatStep, iterations, "repeats");

  const flat = rows === 1 && blocks === 1;
  if (!flat) {
    requireCount(words, LIMITS.wrap, "words of a row");
    requireCount(rows, LIMITS.wrap, "rows of a block");
  }
  const burst = BURST_LENGTH_FIELD << 30;
  return [
    length,
    0, // the address comes with a patch
    0,
    flat ? 0 : words << 20,
    flat ? burst : burst | rows << 20 | storedStep(rowStep, rows, "rows"),
    flat ? 0 : storedStep(blockStep, blocks, "blocks"),
    iteration,
    VALID,
  ].map((word) => word >>> 0);
}

/**
 * What a descriptor touches, run `repeats` times.
 *
 * @returns null if it is not valid, or uses what is not used here: locks, a next descriptor, packets, words that do not
 * follow each other, iterations that do not start at the first or end before the last.
 */
export function decodeDescriptor(words: readonly number[], repeats: number): DmaPattern | null {
  const [length, , high, d0, d1, d2, iteration, control] = words;
  const rowWords = d0 >>> 20 & LIMITS.wrap;
  const rows = d1 >>> 20 & LIMITS.wrap;
  const iterations = (iteration >>> 20 & 0x3f) + 1;
  if (control !== VALID || high >>> 16 !== 0 || length === 0 || (d0 & 0xfffff) !== 0) return null;
  if (iteration >>> 26 !== 0 || (iterations > 1 && repeats !== iterations)) return null;

  const step = (word: number) => (word & 0xfffff) + 1;
  const runs = { repeats, repeatStep: iterations > 1 ? step(iteration) : 0 };
  if (rowWords === 0) return { ...linear(length), ...runs };
  const blockRows = rows === 0 ? length / rowWords : rows;
  const blocks = length / (rowWords * blockRows);
  if (!Number.isInteger(blockRows) || !Number.isInteger(blocks)) return null;
  return { ...runs, blocks, blockStep: step(d2), rows: blockRows, rowStep: step(d1), words: rowWords };
}

/** Words of all runs. */
export function wordsOf(pattern: DmaPattern): number {
  return pattern.repeats * pattern.blocks * pattern.rows * pattern.words;
}

/** How far the pattern reaches from its start, words: one past the last one touched. */
export function reachOf(pattern: DmaPattern): number {
  const span = (count: number, step: number) => (count - 1) * step;
  return span(pattern.repeats, pattern.repeatStep) + span(pattern.blocks, pattern.blockStep) +
    span(pattern.rows, pattern.rowStep) + pattern.words;
}

/** The operations that set up descriptor `bd` for a transfer and push it; a token is asked for on the way out. */
export function transferOperations(transfer: ShimTransfer, bd: number): Operation[] {
  const { column, direction, channel, pattern } = transfer;
  const descriptor = tileAddress(column, 0, DESCRIPTOR_BASE + bd * DESCRIPTOR_BYTES);
  const control = tileAddress(column, 0, CONTROL[direction] + channel * CHANNEL_BYTES);
  const token = direction === "s2mm";
  return [
    { op: "blockWrite", address: descriptor, words: encodeDescriptor(pattern) },
    { op: "patch", address: descriptor + 4, argument: transfer.argument, offset: transfer.offset },
    ...(token
      ? [{ op: "maskWrite", address: control, value: TOKEN_CONTROLLER, mask: TOKEN_CONTROLLER } as const]
      : []),
    {
      op: "write",
      address: control + 4,
      value: ((token ? 1 << 31 : 0) | (pattern.repeats - 1) << 16 | bd) >>> 0,
    },
  ];
}

/** The operation that waits for one token of a channel of a column. */
export function waitOperation(column: number, direction: Direction, channel: number): Operation {
  return { op: "wait", column, row: 0, columns: 1, rows: 1, direction, channel };
}

/** What a register of a shim tile is. */
export type ShimRegister =
  | { readonly kind: "descriptor"; readonly column: number; readonly bd: number; readonly word: number }
  | {
    readonly kind: "control";
    readonly column: number;
    readonly direction: Direction;
    readonly channel: number;
  }
  | {
    readonly kind: "queue";
    readonly column: number;
    readonly direction: Direction;
    readonly channel: number;
  };

/** What an address is, if it is one of a shim tile's DMA. */
export function shimRegister(address: number): ShimRegister | null {
  const { column, row, register } = splitAddress(address);
  if (row !== 0) return null;
  const bd = (register - DESCRIPTOR_BASE) / DESCRIPTOR_BYTES;
  if (bd >= 0 && bd < DESCRIPTORS) {
    return { kind: "descriptor", column, bd: Math.floor(bd), word: register % DESCRIPTOR_BYTES / 4 };
  }
  for (const direction of ["s2mm", "mm2s"] as const) {
    const at = register - CONTROL[direction];
    if (at < 0 || at >= CHANNELS * CHANNEL_BYTES) continue;
    const channel = Math.floor(at / CHANNEL_BYTES);
    return { kind: at % CHANNEL_BYTES === 0 ? "control" : "queue", column, direction, channel };
  }
  return null;
}

/** The fields of a queue entry. */
export function splitQueueEntry(value: number): { bd: number; repeats: number; token: boolean } {
  return { bd: value & 0xf, repeats: (value >>> 16 & 0xff) + 1, token: value >>> 31 === 1 };
}
