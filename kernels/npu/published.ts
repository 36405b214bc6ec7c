/**
 * What others measured on real NPUs, and what the modelled clock says of the same work: how far modelled times are to be
 * believed. `native/npu_model/README.md` says which figures the clock was fitted on.
 *
 * The encoder that was published is whisper-xdna's (bf16, XDNA1, 1500 frames computed as 1536). Its way through a layer: four
 * projections, then for each head Q·Kᵀ, softmax and the product with V in one list of launches, then the MLP with GELU between,
 * each shape in an overlay of its own. What its host adds is not published; two of its four figures give it.
 *
 * @module
 */

import type { GemmKernel } from "./catalogue.ts";
import type { NpuClock } from "./clock.ts";
import { costOfProduct } from "./cost_model.ts";
import { planProduct } from "./tiling.ts";

/** A product's measured rate. */
export interface PublishedProduct {
  /** Rows of A. */
  readonly M: number;
  /** Columns of A. */
  readonly K: number;
  /** Columns of B. */
  readonly N: number;
  /** Columns of the tiles' B: the widest of 64 and 32 that divides a column's share of N. */
  readonly tileColumns: 32 | 64;
  /** Measured, 10⁹ operations a second. */
  readonly rate: number;
  /** Whether the clock was fitted on it. */
  readonly fitted: boolean;
}

/** XDNA1, four columns, bf16 in, f32 out. */
export const PUBLISHED_PRODUCTS: readonly PublishedProduct[] = [
  { M: 1536, K: 1536, N: 384, tileColumns: 32, rate: 1761, fitted: false },
  { M: 1536, K: 5120, N: 1280, tileColumns: 64, rate: 1514, fitted: true },
  { M: 1536, K: 1280, N: 1280, tileColumns: 64, rate: 1409, fitted: false },
  { M: 1536, K: 64, N: 1536, tileColumns: 64, rate: 386, fitted: false },
];

/** Rates of large products on XDNA2's eight columns; the clock was fitted on both. */
export const PUBLISHED_PEAKS: readonly { readonly kernel: string; readonly rate: number }[] = [
  { kernel: "encoder_bfp16_npu2", rate: 10_200 },
  { kernel: "encoder_bf16_npu2", rate: 1600 },
];

/** An encoder's measured time. */
export interface PublishedEncoder {
  /** Name of the checkpoint. */
  readonly name: string;
  /** Width of its state. */
  readonly state: number;
  /** Its layers. */
  readonly layers: number;
  /** Its heads, each of 64. */
  readonly heads: number;
  /** Measured, ms. */
  readonly milliseconds: number;
  /** Whether what its host adds was fitted on it. */
  readonly fitted: boolean;
}

/** whisper-xdna, whole encoder, XDNA1, bf16, 1500 frames. */
export const PUBLISHED_ENCODERS: readonly PublishedEncoder[] = [
  { name: "tiny", state: 384, layers: 4, heads: 6, milliseconds: 484, fitted: true },
  { name: "small", state: 768, layers: 12, heads: 12, milliseconds: 1507, fitted: false },
  { name: "turbo", state: 1280, layers: 32, heads: 20, milliseconds: 3346, fitted: false },
  { name: "large-v3", state: 1280, layers: 32, heads: 20, milliseconds: 3990, fitted: true },
];

/** Frames as that encoder pads them. */
const FRAMES = 1536;
const HEAD_WIDTH = 64;
const BF16_BYTES = 2;
const F32_BYTES = 4;
/** Overlays that a layer goes through, each a change of context: projections, Q·Kᵀ, softmax, V, out, fc1, GELU, fc2. */
const SWITCHES_A_LAYER = 4;

/** The kernel that such a product is measured on. */
export function publishedKernel(tileColumns: 16 | 32 | 64, output: "f32" | "bf16" = "f32"): GemmKernel {
  return {
    operation: "gemm",
    name: `published_bf16_64x64x${tileColumns}`,
    design: {
      generation: "npu1",
      columns: 4,
      rows: 4,
      runtime: 0xf000,
      programs: [{
        kind: "matmul",
        m: 64,
        k: 64,
        n: tileColumns,
        subtile: [4, 8, 4],
        input: "bf16",
        output,
        reduce: null,
      }],
    },
    program: 0,
    launch: null,
    layout: "rows",
  };
}

/** The launches of that encoder on the NPU, without its host, modelled ms. */
export function modelledEncoderLaunches(encoder: PublishedEncoder, clock: NpuClock): number {
  const none = { convert: Infinity, cpu: Infinity };
  const cost = (kernel: GemmKernel, M: number, K: number, N: number, isListed = false) => {
    const { launch, compute, transfer } = costOfProduct(planProduct(kernel, { M, K, N }), clock, none);
    return launch + Math.max(compute, transfer) - (isListed ? clock.launch - clock.listedLaunch : 0);
  };
  /** A function of rows, in and out through all four columns; as fast as its bytes come. */
  const byRow = (bytes: number, launch: number) => launch + bytes / (4 * clock.channel);
  const wide = publishedKernel(64);
  const { state, heads, layers } = encoder;
  const head = cost(publishedKernel(64, "bf16"), FRAMES, HEAD_WIDTH, FRAMES, true) +
    byRow(BF16_BYTES * FRAMES * FRAMES, clock.listedLaunch) +
    cost(publishedKernel(16), FRAMES, FRAMES, HEAD_WIDTH, true);
  const layer = 4 * cost(wide, FRAMES, state, state) + heads * head + cost(wide, FRAMES, state, 4 * state) +
    byRow(F32_BYTES * FRAMES * 4 * state, clock.launch) + cost(wide, FRAMES, 4 * state, state) +
    SWITCHES_A_LAYER * clock.contextSwitch;
  return layers * layer / 1e6;
}

/**
 * What that encoder's host adds, fitted on the two encoders that say so.
 *
 * @returns Milliseconds once, and for each layer.
 */
export function fittedHost(clock: NpuClock): { readonly once: number; readonly layer: number } {
  const [first, second] = PUBLISHED_ENCODERS.filter(({ fitted }) => fitted);
  const rest = (encoder: PublishedEncoder) => encoder.milliseconds - modelledEncoderLaunches(encoder, clock);
  const layer = (rest(second) - rest(first)) / (second.layers - first.layers);
  return { once: rest(first) - first.layers * layer, layer };
}

/** A whole encoder of that kind, modelled ms. */
export function modelledEncoder(encoder: PublishedEncoder, clock: NpuClock): number {
  const { once, layer } = fittedHost(clock);
  return modelledEncoderLaunches(encoder, clock) + once + encoder.layers * layer;
}
