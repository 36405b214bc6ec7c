/**
 * Every figure that was published of systems like this one, beside what the clock makes of the same work.
 *
 * @module
 */

import {
  costOfAttention,
  costOfProduct,
  type GemmKernel,
  gemmKernelNamed,
  kernelNamed,
  MODELLED_CLOCKS,
  type NpuClock,
  planAttention,
  planProduct,
  type ProductSize,
} from "../../kernels/npu/mod.ts";
import {
  modelledEncoder,
  PUBLISHED_ENCODERS,
  PUBLISHED_PEAKS,
  PUBLISHED_PRODUCTS,
  publishedKernel,
} from "../../kernels/npu/published.ts";
import { textTable } from "./text_table.ts";

/** What a figure was for the clock. */
type Use =
  /** A constant was chosen so that it comes out. */
  | "fitted"
  /** It was not looked at for that: this is the check. */
  | "checked"
  /** No time: a number of launches. */
  | "counted"
  /** Most of it is its host's, which the clock does not model. */
  | "its host, not modelled"
  /** No kernel of the catalogue does it. */
  | "no such kernel";

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly published: number;
  /** Modelled, or counted; null where there is nothing to compare. */
  readonly ours: number | null;
  readonly use: Use;
}

const { npu1, npu2 } = MODELLED_CLOCKS;
/** A product so large that launches do not count. */
const LARGE: ProductSize = { M: 4096, K: 4096, N: 4096 };
const CUBE: ProductSize = { M: 512, K: 512, N: 512 };

/** The NPU's part of a product, modelled ns. */
function npuTime(kernel: GemmKernel, size: ProductSize, clock: NpuClock): number {
  const cost = costOfProduct(planProduct(kernel, size), clock, { convert: Infinity, cpu: Infinity });
  return cost.launch + Math.max(cost.compute, cost.transfer);
}

function gigaflops(kernel: GemmKernel, size: ProductSize, clock: NpuClock): number {
  return 2 * size.M * size.K * size.N / npuTime(kernel, size, clock);
}

function products(): Figure[] {
  const bf16 = PUBLISHED_PRODUCTS.map(({ tileColumns, rate, fitted, ...size }): Figure => ({
    what: `XDNA1 bf16 ${size.M}×${size.K}×${size.N}`,
    unit: "GFLOP/s",
    published: rate,
    ours: gigaflops(publishedKernel(tileColumns), size, npu1),
    use: fitted ? "fitted" : "checked",
  }));
  const peaks = PUBLISHED_PEAKS.map(({ kernel, rate }): Figure => ({
    what: `XDNA2 ${kernel.split("_")[1]}, large`,
    unit: "GFLOP/s",
    published: rate,
    ours: gigaflops(gemmKernelNamed(kernel), LARGE, npu2),
    use: "fitted",
  }));
  const absent =
    ([["bfp16, asymmetric tile buffering, from", 24_000], ["bf16 by way of bfp16", 4800]] as const)
      .map(([what, published]): Figure => ({
        what: `XDNA2 ${what}`,
        unit: "GFLOP/s",
        published,
        ours: null,
        use: "no such kernel",
      }));
  const int8: Figure = {
    what: "XDNA1 int8, large (1.33 × bf16 was fitted)",
    unit: "GOP/s",
    published: 2000,
    ours: gigaflops(gemmKernelNamed("encoder_i8_npu1"), LARGE, npu1),
    use: "checked",
  };
  return [...bf16, int8, ...peaks, ...absent];
}

function launches(): Figure[] {
  const cube = npuTime(publishedKernel(64), CUBE, npu1);
  return [
    { what: "launch of 512³, raw XRT", unit: "ms", published: 0.267, ours: cube / 1e6, use: "fitted" },
    {
      what: "the same through a Python wrapper",
      unit: "ms",
      published: 1.385,
      ours: cube / 1e6,
      use: "its host, not modelled",
    },
    {
      what: "switching context (2.5 to 2.8)",
      unit: "ms",
      published: 2.65,
      ours: npu1.contextSwitch / 1e6,
      use: "fitted",
    },
    {
      what: "a runlist saves, of 512³",
      unit: "%",
      published: 24,
      ours: 100 * (npu1.launch - npu1.listedLaunch) / cube,
      use: "fitted",
    },
  ];
}

function earlierSystems(): Figure[] {
  const size = { M: 3001, K: 512, N: 512 };
  const counts = ([["bf16_64x64", 3008], ["bf16_64x512", 376], ["bf16_128x512", 188]] as const)
    .map(([name, published]): Figure => ({
      what: `(3001×512)·(512×512) on ${name}`,
      unit: "launches",
      published,
      ours: planProduct(gemmKernelNamed(name), size).launches,
      use: "counted",
    }));
  const tile = gemmKernelNamed("bf16_64x64");
  const int8 = (name: string, product: ProductSize) => npuTime(gemmKernelNamed(name), product, npu1) / 1e6;
  const layer = 4 * int8("i8_512x512x512_32tile", CUBE) +
    int8("i8_512x512x2048_32tile", { ...CUBE, N: 2048 }) +
    int8("i8_512x2048x512_32tile", { ...CUBE, K: 2048 });
  const kernel = kernelNamed("attention_int8_64x64");
  if (kernel.operation !== "attention") throw new Error("attention_int8_64x64 is no attention");
  const attention = planAttention(kernel, 1500, 8);
  const cost = costOfAttention(attention, npu1, { convert: Infinity, cpu: Infinity });
  return [
    ...counts,
    {
      what: "a launch of bf16_64x64",
      unit: "ms",
      published: 54.4,
      ours: npuTime(tile, size, npu1) / planProduct(tile, size).launches / 1e6,
      use: "its host, not modelled",
    },
    {
      what: "int8 512³, 4 tiles",
      unit: "ms",
      published: 64,
      ours: int8("i8_512x512x512_4tile", CUBE),
      use: "its host, not modelled",
    },
    {
      what: "int8, six products of a layer, 32 tiles",
      unit: "ms",
      published: 11,
      ours: layer,
      use: "its host, not modelled",
    },
    {
      what: "attention on 64×64 tiles, a layer of base",
      unit: "launches",
      published: 192,
      ours: attention.launches,
      use: "counted",
    },
    {
      what: "the same",
      unit: "ms",
      published: 470,
      ours: cost.total / 1e6,
      use: "its host, not modelled",
    },
  ];
}

function encoders(): Figure[] {
  return PUBLISHED_ENCODERS.map((encoder): Figure => ({
    what: `whisper-xdna on XDNA1, ${encoder.name}`,
    unit: "ms",
    published: encoder.milliseconds,
    ours: modelledEncoder(encoder, npu1),
    use: encoder.fitted ? "fitted" : "checked",
  }));
}

/** Three digits are more than is known. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** All of them. */
export function publishedTable(): string {
  const figures = [...products(), ...launches(), ...encoders(), ...earlierSystems()];
  return textTable([
    ["measured by others", "", "published", "ours, modelled", "off by", "for the clock"],
    ...figures.map(({ what, unit, published, ours, use }) => [
      what,
      unit,
      digits(published),
      ours === null ? "" : digits(ours),
      ours === null ? "" : `${(100 * (ours / published - 1)).toFixed(1)} %`,
      use,
    ]),
  ]);
}
