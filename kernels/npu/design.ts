/**
 * What an overlay computes: the array it takes and the programs of its compute tiles.
 *
 * A modelled overlay's PDI is this design as text; the model of `native/npu_model` reads it there (its README is the
 * contract). A real overlay has a design too: it is what a stream must be generated for.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { Generation } from "./transaction.ts";

/** Types of the operands of a tile program. */
export type TileType = "i8" | "i16" | "i32" | "bf16" | "f32" | "bfp16";

/** Bits a value takes in memory; a bfp16 value has an eighth of a shared exponent. */
export const TYPE_BITS: Readonly<Record<TileType, number>> = {
  i8: 8,
  i16: 16,
  i32: 32,
  bf16: 16,
  f32: 32,
  bfp16: 9,
};

/** C tile [m, n] = Σ of `reduce` products A tile [m, k] · B tile [k, n]. bfp16 B tiles come transposed, [n, k]. */
export interface MatmulProgram {
  /** Which program. */
  readonly kind: "matmul";
  /** Rows of A and C. */
  readonly m: number;
  /** Columns of A, rows of B. */
  readonly k: number;
  /** Columns of B and C. */
  readonly n: number;
  /** What the multiplier takes at once: A r×s, B s×t. */
  readonly subtile: readonly [r: number, s: number, t: number];
  /** Type of A and B. */
  readonly input: TileType;
  /** Type of C. */
  readonly output: TileType;
  /** Tiles along K that are summed; null where the stream says it in a runtime word. */
  readonly reduce: number | null;
}

/** O tile [queries, width] = softmax(scale · Q Kᵀ) V, over as many tiles of `queries` keys as a runtime word says. */
export interface AttentionProgram {
  /** Which program. */
  readonly kind: "attention";
  /** Rows of a tile of queries, and of keys. */
  readonly queries: number;
  /** Width of a head. */
  readonly width: number;
  /** Type of Q, K, V. */
  readonly input: TileType;
  /** Type of O. */
  readonly output: TileType;
}

/** A function of bf16 vectors. */
export interface VectorProgram {
  /** Which program. */
  readonly kind: "softmax" | "gelu" | "layernorm";
  /** Values of a vector. */
  readonly length: number;
}

/** What compute tiles run. */
export type TileProgram = MatmulProgram | AttentionProgram | VectorProgram;

/** An overlay's design. */
export interface OverlayDesign {
  /** The NPU it is for. */
  readonly generation: Generation;
  /** Columns of compute tiles in use: 1, 2, 4, and on npu2 8. */
  readonly columns: number;
  /** Rows of compute tiles in use, 1…4. */
  readonly rows: number;
  /** Byte address of the runtime words in each compute tile's data memory; null where every number is compiled in. */
  readonly runtime: number | null;
  /** At most 8; the runtime words choose among them. */
  readonly programs: readonly TileProgram[];
}

/** Data memory of a compute tile, bytes. */
export const TILE_MEMORY_BYTES = 65_536;
/** What the tile programs need of it beside buffers: the stack, and the runtime words. */
export const TILE_RESERVED_BYTES = 0x1000;
/** Where our overlays keep their runtime words: the first after all buffers, near the end of data memory. */
export const RUNTIME_ADDRESS = 0xf000;
/** Words of them: program, tiles summed, keys that count, bits of the scale. */
export const RUNTIME_WORDS = 4;
const MAX_PROGRAMS = 8;

/** Bytes of `count` values; not always a whole number for bfp16. */
export function bytesOf(type: TileType, count: number): number {
  return count * TYPE_BITS[type] / 8;
}

/** How many arrays of a program's size fit a tile, and of how many bytes: A and B twice, C once where twice is too much. */
export function tileBufferBytes(program: MatmulProgram): { double: number; single: number } {
  const inputs = 2 *
    (bytesOf(program.input, program.m * program.k) + bytesOf(program.input, program.k * program.n));
  const output = bytesOf(program.output, program.m * program.n);
  return { double: inputs + 2 * output, single: inputs + output };
}

/** Refuses a design. */
function refuse(rule: string, found: unknown): never {
  throw new SottoError("E_OPTION", `Cannot use the overlay design because ${rule}: got ${found}`);
}

function checkMatmul(program: MatmulProgram): void {
  const { m, k, n, subtile: [r, s, t], input, output } = program;
  if (![m, k, n, r, s, t].every((size) => Number.isInteger(size) && size > 0)) {
    refuse("tiles and subtiles must be whole numbers above 0", `${m}×${k}×${n}, ${r}×${s}×${t}`);
  }
  if (m % r !== 0 || k % s !== 0 || n % t !== 0) {
    refuse(`a tile must be made of ${r}×${s}×${t} subtiles`, `${m}×${k}×${n}`);
  }
  const integers = ["i8", "i16"].includes(input);
  if (!integers && !["bf16", "bfp16"].includes(input)) refuse("A must be i8, i16, bf16 or bfp16", input);
  const outputs = integers ? ["i32", "i16", "i8"] : ["f32", "bf16", "bfp16"];
  if (!outputs.includes(output)) refuse(`C of ${input} must be one of ${outputs.join(", ")}`, output);
  const { single } = tileBufferBytes(program);
  if (single > TILE_MEMORY_BYTES - TILE_RESERVED_BYTES) {
    refuse(`a tile's buffers must fit ${TILE_MEMORY_BYTES - TILE_RESERVED_BYTES} bytes`, single);
  }
}

/**
 * Checks a design.
 *
 * @throws {SottoError} E_OPTION if it cannot be an overlay's.
 */
export function checkDesign(design: OverlayDesign): void {
  const { generation, columns, rows, runtime, programs } = design;
  const widths = generation === "npu1" ? [1, 2, 4] : [1, 2, 4, 8];
  if (!widths.includes(columns)) refuse(`${generation} has ${widths.join(", ")} columns`, columns);
  if (!Number.isInteger(rows) || rows < 1 || rows > 4) refuse("there must be 1…4 rows", rows);
  // Feeders of A deal rows out evenly.
  if (Math.max(columns, rows) % Math.min(columns, rows) !== 0) {
    refuse(`rows must divide ${columns} columns, or the other way round`, rows);
  }
  if (programs.length < 1 || programs.length > MAX_PROGRAMS) {
    refuse(`there must be 1…${MAX_PROGRAMS} programs`, programs.length);
  }
  if (
    runtime !== null && (runtime % 16 !== 0 || runtime < 0 || runtime + 4 * RUNTIME_WORDS > TILE_MEMORY_BYTES)
  ) {
    refuse(`runtime words must lie at a multiple of 16 below ${TILE_MEMORY_BYTES}`, runtime);
  }
  if (runtime === null && programs.length > 1) {
    refuse("without runtime words there is one program", programs.length);
  }
  for (const program of programs) {
    if (program.kind === "matmul") checkMatmul(program);
    if (runtime === null && program.kind === "matmul" && program.reduce === null) {
      refuse("without runtime words a product must say how many tiles it sums", "none");
    }
  }
}

function programText(program: TileProgram): string {
  switch (program.kind) {
    case "matmul": {
      const { m, k, n, subtile, input, output, reduce } = program;
      const sum = reduce === null ? "" : ` reduce ${reduce}`;
      return `matmul tile ${m} ${k} ${n} subtile ${
        subtile.join(" ")
      } a ${input} b ${input} c ${output}${sum}`;
    }
    case "attention":
      return `attention tile ${program.queries} ${program.width} in ${program.input} out ${program.output}`;
    default:
      return `${program.kind} length ${program.length}`;
  }
}

/** The lines that name a design in a modelled PDI. */
export function designText(design: OverlayDesign): string {
  const lines = [
    "sotto-npu-model 1",
    `array ${design.generation} columns ${design.columns} rows ${design.rows}`,
    ...(design.runtime === null ? [] : [`runtime 0x${design.runtime.toString(16)}`]),
    ...design.programs.map((program, index) => `program ${index} ${programText(program)}`),
  ];
  return lines.join("\n") + "\n";
}
