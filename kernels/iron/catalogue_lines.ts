/**
 * The catalogue as the Python designs read it: `deno run kernels/iron/catalogue_lines.ts > kernels/iron/catalogue.jsonl`.
 *
 * The catalogue of `kernels/npu` is the only place where sizes are decided; a test holds the committed file to it.
 *
 * @module
 */

import { type AttentionKernel, CATALOGUE, type GemmKernel } from "../npu/catalogue.ts";
import {
  type AttentionProgram,
  type MatmulProgram,
  RUNTIME_WORDS,
  TILE_MEMORY_BYTES,
  TILE_RESERVED_BYTES,
} from "../npu/design.ts";
import type { Generation } from "../npu/transaction.ts";

/** One entry: the array it takes, and what its compute tiles compute. */
export interface IronEntry {
  /** Its name in the catalogue. */
  readonly name: string;
  /** Which design makes it. */
  readonly operation: "gemm" | "attention" | "attention_tile";
  /** The NPU it is for. */
  readonly generation: Generation;
  /** Columns of compute tiles. */
  readonly columns: number;
  /** Rows of compute tiles. */
  readonly rows: number;
  /** Where the compute tiles keep their runtime words; null where every number is compiled in. */
  readonly runtime: number | null;
  /** The tile program; null for attention on one tile, which has no other sizes than `tile` and `width`. */
  readonly program: MatmulProgram | AttentionProgram | null;
  /** Rows of a tile of queries, and of keys; null for products. */
  readonly tile: number | null;
  /** Width of a head; null for products. */
  readonly width: number | null;
}

/** What the designs read. */
export interface IronCatalogue {
  /** Data memory of a compute tile, bytes. */
  readonly tileMemoryBytes: number;
  /** What of it is no buffer's: the stack and the runtime words. */
  readonly tileReservedBytes: number;
  /** How many runtime words there are. */
  readonly runtimeWords: number;
  /** Every kernel of the catalogue. */
  readonly entries: readonly IronEntry[];
}

/** The predecessor's attention on one tile was compiled for XDNA1. */
const ONE_TILE = { generation: "npu1", columns: 1, rows: 1, runtime: null } as const;

function entryOf(kernel: GemmKernel | AttentionKernel): IronEntry {
  const { name, operation, design } = kernel;
  const sizes = kernel.operation === "attention"
    ? { tile: kernel.tile, width: kernel.width }
    : { tile: null, width: null };
  if (design === null) return { name, operation: "attention_tile", ...ONE_TILE, program: null, ...sizes };
  const program = design.programs[kernel.program];
  if (program.kind !== "matmul" && program.kind !== "attention") {
    throw new Error(`${name} has a program of vectors, which no design here makes`);
  }
  const { generation, columns, rows, runtime } = design;
  return { name, operation, generation, columns, rows, runtime, program, ...sizes };
}

/** Every entry of the catalogue. */
export function ironCatalogue(): IronCatalogue {
  return {
    tileMemoryBytes: TILE_MEMORY_BYTES,
    tileReservedBytes: TILE_RESERVED_BYTES,
    runtimeWords: RUNTIME_WORDS,
    entries: CATALOGUE.map(entryOf),
  };
}

/** The file's text: a line for what all have in common, then one for each entry. */
export function ironCatalogueText(): string {
  const { entries, ...common } = ironCatalogue();
  return [common, ...entries].map((line) => JSON.stringify(line) + "\n").join("");
}

if (import.meta.main) console.log(ironCatalogueText().trimEnd());
