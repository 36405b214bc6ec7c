/**
 * The NPU's kernels as data: which tiles, on which array, in which types, and how much of a product one launch does.
 *
 * Two kinds. Kernels of a _fixed_ launch do one size, as those of the systems before this one did: the host cuts a
 * product into such pieces and launches each. Kernels of _any_ size loop inside the launch: the stream says how far.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { didYouMean } from "../../nearest.ts";
import { type MatmulProgram, type OverlayDesign, RUNTIME_ADDRESS, type TileType } from "./design.ts";
import type { Generation } from "./transaction.ts";

/** A size M×K×N. */
export interface ProductSize {
  /** Rows of A and C. */
  readonly M: number;
  /** Columns of A, rows of B. */
  readonly K: number;
  /** Columns of B and C. */
  readonly N: number;
}

/** How a matrix lies in its buffer: row-major, or BFP16 blocks in DIM32 order within kernel tiles, B as [N, K]. */
export type KernelLayout = "rows" | "dim32";

/** A kernel for products. */
export interface GemmKernel {
  /** Which operation. */
  readonly operation: "gemm";
  /** Its name in this catalogue. */
  readonly name: string;
  /** The overlay it is part of. */
  readonly design: OverlayDesign;
  /** Index among the overlay's programs. */
  readonly program: number;
  /** What one launch does; null if that is up to the stream. */
  readonly launch: ProductSize | null;
  /** How A and B lie; C is row-major. */
  readonly layout: KernelLayout;
}

/** A kernel for attention. */
export interface AttentionKernel {
  /** Which operation. */
  readonly operation: "attention";
  /** Its name in this catalogue. */
  readonly name: string;
  /** The overlay it is part of; null for the predecessor's, which is no design of ours. */
  readonly design: OverlayDesign | null;
  /** Index among the overlay's programs. */
  readonly program: number;
  /** Rows of queries and of keys that a tile takes. */
  readonly tile: number;
  /** Width of a head. */
  readonly width: number;
  /** Whether one launch does one tile of one head, or a whole layer. */
  readonly launch: "tile" | "layer";
}

/** An entry of the catalogue. */
export type Kernel = GemmKernel | AttentionKernel;

/** Compute tiles of a design. */
export function tilesOf(design: OverlayDesign): number {
  return design.columns * design.rows;
}

/** What the multiplier of a generation takes at once, r×s×t. */
const SUBTILES: Readonly<Record<Generation, Partial<Record<TileType, readonly [number, number, number]>>>> = {
  npu1: { bf16: [4, 8, 4], i8: [4, 8, 8], i16: [4, 4, 4] },
  npu2: { bf16: [4, 8, 8], i8: [8, 8, 8], bfp16: [8, 8, 8] },
};

/** Products of m×k·k×n tiles. Integers sum in INT32, the others in F32, which is what comes out unless said. */
function tileProgram(
  generation: Generation,
  input: TileType,
  output: TileType,
  reduce: number | null = null,
  [m, k, n]: readonly [number, number, number] = [64, 64, 64],
): MatmulProgram {
  const subtile = SUBTILES[generation][input];
  if (subtile === undefined) {
    throw new SottoError(
      "E_OPTION",
      `Cannot multiply ${input} on ${generation}: its multiplier has no such mode`,
    );
  }
  return { kind: "matmul", m, k, n, subtile, input, output, reduce };
}

/** A kernel of one size, with its sums along K compiled in. */
function fixedKernel(
  name: string,
  generation: Generation,
  [columns, rows]: readonly [number, number],
  launch: ProductSize,
  input: TileType,
  output: TileType,
): GemmKernel {
  const program = tileProgram(generation, input, output, launch.K / 64);
  return {
    operation: "gemm",
    name,
    design: { generation, columns, rows, runtime: null, programs: [program] },
    program: 0,
    launch,
    layout: input === "bfp16" ? "dim32" : "rows",
  };
}

/** One overlay for a whole encoder: its products in every type the generation multiplies, and attention. */
function encoderDesign(generation: Generation, columns: number): OverlayDesign {
  const products = generation === "npu1"
    ? [tileProgram("npu1", "bf16", "f32"), tileProgram("npu1", "i8", "i32")]
    : [
      tileProgram("npu2", "bf16", "f32"),
      tileProgram("npu2", "i8", "i32"),
      tileProgram("npu2", "bfp16", "f32"),
    ];
  return {
    generation,
    columns,
    rows: 4,
    runtime: RUNTIME_ADDRESS,
    programs: [...products, { kind: "attention", queries: 64, width: 64, input: "bf16", output: "bf16" }],
  };
}

/** XDNA1: Phoenix, Hawk Point; four columns. */
export const ENCODER_NPU1: OverlayDesign = encoderDesign("npu1", 4);
/** XDNA2: Strix, Krackan; eight columns. */
export const ENCODER_NPU2: OverlayDesign = encoderDesign("npu2", 8);

function encoderKernels(design: OverlayDesign): Kernel[] {
  return design.programs.map((program, index): Kernel => {
    if (program.kind === "matmul") {
      return {
        operation: "gemm",
        name: `encoder_${program.input}_${design.generation}`,
        design,
        program: index,
        launch: null,
        layout: program.input === "bfp16" ? "dim32" : "rows",
      };
    }
    if (program.kind !== "attention") throw new Error(`unexpected program ${program.kind}`);
    return {
      operation: "attention",
      name: `encoder_attention_${design.generation}`,
      design,
      program: index,
      tile: program.queries,
      width: program.width,
      launch: "layer",
    };
  });
}

const ONE_TILE = [1, 1] as const;
const FOUR_TILES = [1, 4] as const;
const ALL_NPU2_TILES = [8, 4] as const;

/**
 * Every kernel.
 *
 * The bf16 ones of the predecessor are named by the part of B that a launch holds, K×N, under 64 rows of A: 64×64, 64×512,
 * 128×512. Its int8 ones are named by the launch, M×K×N, on 4 or 32 tiles.
 */
export const CATALOGUE: readonly Kernel[] = [
  fixedKernel("bf16_64x64", "npu1", ONE_TILE, { M: 64, K: 64, N: 64 }, "bf16", "bf16"),
  fixedKernel("bf16_64x512", "npu1", ONE_TILE, { M: 64, K: 64, N: 512 }, "bf16", "f32"),
  fixedKernel("bf16_128x512", "npu1", ONE_TILE, { M: 64, K: 128, N: 512 }, "bf16", "f32"),
  fixedKernel("i8_512x512x512_4tile", "npu2", FOUR_TILES, { M: 512, K: 512, N: 512 }, "i8", "i32"),
  fixedKernel("i8_512x512x2048_4tile", "npu2", FOUR_TILES, { M: 512, K: 512, N: 2048 }, "i8", "i32"),
  fixedKernel("i8_512x512x512_32tile", "npu2", ALL_NPU2_TILES, { M: 512, K: 512, N: 512 }, "i8", "i32"),
  fixedKernel("i8_512x512x2048_32tile", "npu2", ALL_NPU2_TILES, { M: 512, K: 512, N: 2048 }, "i8", "i32"),
  fixedKernel("i8_512x2048x512_32tile", "npu2", ALL_NPU2_TILES, { M: 512, K: 2048, N: 512 }, "i8", "i32"),
  fixedKernel("bfp16_512x512x512_32tile", "npu2", ALL_NPU2_TILES, { M: 512, K: 512, N: 512 }, "bfp16", "f32"),
  {
    operation: "attention",
    name: "attention_int8_64x64",
    design: null,
    program: 0,
    tile: 64,
    width: 64,
    launch: "tile",
  },
  ...encoderKernels(ENCODER_NPU1),
  ...encoderKernels(ENCODER_NPU2),
];

/** The tile program of a product's kernel. */
export function programOf(kernel: GemmKernel): MatmulProgram {
  const program = kernel.design.programs[kernel.program];
  if (program.kind !== "matmul") throw new Error(`${kernel.name} names a program that is no product`);
  return program;
}

/**
 * An entry by its name.
 *
 * @throws {SottoError} E_OPTION if there is none.
 */
export function kernelNamed(name: string): Kernel {
  const found = CATALOGUE.find((kernel) => kernel.name === name);
  if (found !== undefined) return found;
  const names = CATALOGUE.map((kernel) => kernel.name);
  throw new SottoError(
    "E_OPTION",
    `Cannot use NPU kernel "${name}" because the catalogue has no such entry`,
    {
      hint: didYouMean(name, names) || `It has ${names.join(", ")}.`,
    },
  );
}

/** The kernel for products by its name. @throws {SottoError} E_OPTION if there is none, or it is not for products. */
export function gemmKernelNamed(name: string): GemmKernel {
  const kernel = kernelNamed(name);
  if (kernel.operation === "gemm") return kernel;
  throw new SottoError(
    "E_OPTION",
    `Cannot multiply with NPU kernel "${name}" because it is for ${kernel.operation}`,
  );
}
