/**
 * Cuts a product into launches of a kernel: padding, chunks of K, how many launches and how many bytes, all known before
 * anything runs.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { roundUp } from "../../tensor/pad.ts";
import { type AttentionKernel, type GemmKernel, type ProductSize, programOf, tilesOf } from "./catalogue.ts";
import { bytesOf } from "./design.ts";
import { granularityOf, type Product, productStream } from "./instructions.ts";
import { LIMITS } from "./shim_dma.ts";
import type { Transaction } from "./transaction.ts";

/** Bytes. */
export interface BytesEachWay {
  /** From buffers into the array. */
  readonly in: number;
  /** From the array into buffers. */
  readonly out: number;
}

/** How a product is done on a kernel. */
export interface ProductPlan {
  /** On which. */
  readonly kernel: GemmKernel;
  /** The product. */
  readonly size: ProductSize;
  /** What is computed: `size`, padded to whole launches. */
  readonly padded: ProductSize;
  /** What one launch computes. */
  readonly launch: ProductSize;
  /** How often along M, K, N; more than one along K are summed by the host. */
  readonly counts: ProductSize;
  /** Product of the counts. */
  readonly launches: number;
  /** By the shim tiles' DMA, of all launches. */
  readonly bytes: BytesEachWay;
  /** C tiles per compute tile, of all launches. */
  readonly rounds: number;
  /** Operations (multiplications and additions) of all launches, those on padding included. */
  readonly operations: number;
  /** Part of the operations that the product needs, 0…1. */
  readonly useful: number;
}

/** One launch of a plan: where its piece lies in the padded matrices. */
export interface ProductLaunch {
  /** First row of A and C. */
  readonly m: number;
  /** First column of A, first row of B. */
  readonly k: number;
  /** First column of B and C. */
  readonly n: number;
  /** Whether C is to be added to what earlier chunks of K gave. */
  readonly accumulate: boolean;
}

function requireSize(size: ProductSize): void {
  for (const [axis, value] of Object.entries(size)) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new SottoError("E_OPTION", `Cannot plan a product because ${axis} must be 1 or more: got ${value}`);
  }
}

/** Bytes that the DMA moves for one launch: A goes in once for every block of columns, B for every row block. */
function launchBytes(kernel: GemmKernel, launch: ProductSize): BytesEachWay {
  const { input, output } = programOf(kernel);
  const unit = granularityOf(kernel.design, programOf(kernel));
  const sentA = launch.N / unit.N;
  const sentB = launch.M / unit.M;
  return {
    in: sentA * bytesOf(input, launch.M * launch.K) + sentB * bytesOf(input, launch.K * launch.N),
    out: bytesOf(output, launch.M * launch.N),
  };
}

/**
 * Plans a product on a kernel.
 *
 * @throws {SottoError} E_OPTION if a size is not a whole number above 0.
 */
export function planProduct(kernel: GemmKernel, size: ProductSize): ProductPlan {
  requireSize(size);
  const program = programOf(kernel);
  const unit = kernel.launch ?? granularityOf(kernel.design, program);
  const padded = { M: roundUp(size.M, unit.M), K: roundUp(size.K, unit.K), N: roundUp(size.N, unit.N) };
  const launch = kernel.launch ?? padded;
  const counts = { M: padded.M / launch.M, K: padded.K / launch.K, N: padded.N / launch.N };
  const launches = counts.M * counts.K * counts.N;
  const bytes = launchBytes(kernel, launch);
  const unitOfArray = granularityOf(kernel.design, program);
  const work = padded.M * padded.K * padded.N;
  return {
    kernel,
    size,
    padded,
    launch,
    counts,
    launches,
    bytes: { in: launches * bytes.in, out: launches * bytes.out },
    rounds: launches * (launch.M / unitOfArray.M) * (launch.N / unitOfArray.N),
    operations: 2 * work,
    useful: size.M * size.K * size.N / work,
  };
}

/** The launches of a plan, in an order that keeps a piece of C until it is whole. */
export function* launchesOf(plan: ProductPlan): Generator<ProductLaunch> {
  const { launch, counts } = plan;
  for (let m = 0; m < counts.M; m++) {
    for (let n = 0; n < counts.N; n++) {
      for (let k = 0; k < counts.K; k++) {
        yield { m: m * launch.M, k: k * launch.K, n: n * launch.N, accumulate: k > 0 };
      }
    }
  }
}

/**
 * The stream of a plan's launches: the same for each, on buffers that hold one launch's pieces.
 *
 * @param place Where the matrices lie; by default A, B, C are bo0, bo1, bo2 and as wide as the launch.
 */
export function planStream(plan: ProductPlan, place: Pick<Product, "a" | "b" | "c"> = {}): Transaction {
  return productStream(plan.kernel.design, [{ ...plan.launch, ...place, program: plan.kernel.program }]);
}

/** Operations of the stream of one launch, without making it: five or four a transfer, and a wait a batch and column. */
export function streamOperations(plan: ProductPlan): number {
  const { design } = plan.kernel;
  const unit = granularityOf(design, programOf(plan.kernel));
  const feeders = Math.min(design.columns, design.rows);
  const rowBlocks = plan.launch.M / unit.M;
  const spans = Math.ceil(plan.launch.N / unit.N / LIMITS.iterations);
  const batches = spans * Math.ceil(rowBlocks / 2);
  const runtime = design.runtime === null ? 0 : tilesOf(design);
  return runtime + batches * design.columns * 5 + spans * rowBlocks * 3 * (feeders + design.columns);
}

/** How attention of a layer is done on a kernel. */
export interface AttentionPlan {
  /** On which. */
  readonly kernel: AttentionKernel;
  /** Frames that attend to each other. */
  readonly T: number;
  /** Heads. */
  readonly heads: number;
  /** Tiles of queries times heads. Each goes over all tiles of keys; the predecessor's over one. */
  readonly tiles: number;
  /** Launches. */
  readonly launches: number;
  /** Rounds of the array, of all launches: each compute tile does a tile of queries over all its keys. */
  readonly rounds: number;
  /** Tiles of keys that a tile of queries goes over. */
  readonly keyTiles: number;
  /** By the shim tiles' DMA, of all launches. */
  readonly bytes: BytesEachWay;
  /** Operations of the stream of one launch. */
  readonly streamOperations: number;
}

/** The predecessor's: Q, K, V of int8 in, O out, one tile of one head a launch on one compute tile. */
function planTileAttention(kernel: AttentionKernel, T: number, heads: number, tiles: number): AttentionPlan {
  const tileBytes = kernel.tile * kernel.width;
  return {
    kernel,
    T,
    heads,
    tiles,
    launches: tiles,
    rounds: tiles,
    keyTiles: 1,
    bytes: { in: 3 * tiles * tileBytes, out: tiles * tileBytes },
    streamOperations: 3 + 4 + 1, // a transfer in, one out, a wait
  };
}

/**
 * Plans attention of `heads` heads over T frames.
 *
 * @throws {SottoError} E_OPTION if T or `heads` is not a whole number above 0.
 */
export function planAttention(kernel: AttentionKernel, T: number, heads: number): AttentionPlan {
  requireSize({ M: T, K: heads, N: 1 });
  const tiles = Math.ceil(T / kernel.tile) * heads;
  const { design, tile, width } = kernel;
  if (design === null) return planTileAttention(kernel, T, heads, tiles);

  const program = design.programs[kernel.program];
  if (program.kind !== "attention") throw new Error(`${kernel.name} names a program that is no attention`);
  const pieces = heads * Math.ceil(T / (design.rows * tile));
  const rounds = Math.ceil(pieces / design.columns);
  const keyTiles = Math.ceil(T / tile);
  const done = rounds * design.columns; // pieces, those that fill the last round included
  const queryRows = design.rows * tile;
  return {
    kernel,
    T,
    heads,
    tiles,
    launches: 1,
    rounds,
    keyTiles,
    bytes: {
      in: done * bytesOf(program.input, (queryRows + 2 * keyTiles * tile) * width),
      out: done * bytesOf(program.output, queryRows * width),
    },
    streamOperations: tilesOf(design) + done * (4 + 3 + 3 + 1),
  };
}
