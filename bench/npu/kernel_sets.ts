/**
 * What a layer and a window of the base encoder cost with each set of kernels: launches, bytes, modelled times, against
 * what was published of the systems that had them.
 *
 * @module
 */

import { planEncoder } from "../../encoder/plan.ts";
import {
  type AttentionPlan,
  CATALOGUE,
  costOfAttention,
  costOfProduct,
  demandsOf,
  type GemmKernel,
  gemmKernelNamed,
  type HostRates,
  MODELLED_CLOCKS,
  type NpuCost,
  planAttention,
  planProduct,
  type ProductPlan,
  type ProductSize,
} from "../../kernels/npu/mod.ts";
import type { EncoderDimensions } from "../../model/dimensions.ts";
import { mib, ms, textTable } from "./text_table.ts";

/** Kernels of the catalogue that did a whole encoder, and what is known of them. */
const SETS: readonly {
  readonly name: string;
  readonly kernels: readonly string[];
  readonly published: string;
}[] = [
  { name: "64×64 tiles, bf16", kernels: ["bf16_64x64"], published: "54.4 ms a launch" },
  { name: "64×512 tiles, bf16", kernels: ["bf16_64x512"], published: "" },
  { name: "128×512 tiles, bf16", kernels: ["bf16_128x512"], published: "" },
  {
    name: "4 tiles, int8",
    kernels: ["i8_512x512x512_4tile", "i8_512x512x2048_4tile"],
    published: "64 ms per 512³",
  },
  {
    name: "32 tiles, int8",
    kernels: ["i8_512x512x512_32tile", "i8_512x512x2048_32tile", "i8_512x2048x512_32tile"],
    published: "11 ms a layer's six products",
  },
  { name: "32 tiles, bfp16, all products", kernels: ["bfp16_512x512x512_32tile"], published: "" },
  { name: "looping, bf16 XDNA1", kernels: ["encoder_bf16_npu1"], published: "" },
  { name: "looping, int8 XDNA1", kernels: ["encoder_i8_npu1"], published: "" },
  { name: "looping, bf16 XDNA2", kernels: ["encoder_bf16_npu2"], published: "" },
  { name: "looping, bfp16 XDNA2, all products", kernels: ["encoder_bfp16_npu2"], published: "" },
  { name: "looping, int8 XDNA2", kernels: ["encoder_i8_npu2"], published: "" },
];

/** The best of a set's kernels for a product. */
function best(kernels: readonly GemmKernel[], size: ProductSize, host: HostRates) {
  const options = kernels.map((kernel) => {
    const plan = planProduct(kernel, size);
    return { plan, cost: costOfProduct(plan, MODELLED_CLOCKS[kernel.design.generation], host) };
  });
  return options.reduce((least, option) => option.cost.total < least.cost.total ? option : least);
}

/** One product of the systems before this one, on each of their kernels. */
export function launchTable(host: HostRates): string {
  const size = { M: 3001, K: 512, N: 512 };
  const published: Record<string, string> = {
    bf16_64x64: "3008",
    bf16_64x512: "376",
    bf16_128x512: "188",
  };
  const names = [...Object.keys(published), "encoder_bf16_npu1"];
  return textTable([
    ["(3001×512)·(512×512)", "launches", "published", "MiB in", "MiB out", "NPU ms, modelled"],
    ...names.map((name) => {
      const { plan, cost } = best([gemmKernelNamed(name)], size, host);
      return [
        name,
        plan.launches,
        published[name] ?? "",
        mib(plan.bytes.in),
        mib(plan.bytes.out),
        ms(cost.total - cost.host),
      ];
    }),
  ]);
}

/** Launches, bytes and ns of a layer, or of a window. */
class Sums {
  launches = 0;
  bytesIn = 0;
  bytesOut = 0;
  npu = 0;
  host = 0;

  add(times: number, { launches, bytes }: ProductPlan | AttentionPlan, cost: NpuCost): void {
    this.launches += times * launches;
    this.bytesIn += times * bytes.in;
    this.bytesOut += times * bytes.out;
    this.npu += times * (cost.total - cost.host);
    this.host += times * cost.host;
  }

  cells(): (string | number)[] {
    return [this.launches, mib(this.bytesIn), mib(this.bytesOut), ms(this.npu)];
  }
}

/**
 * A whole window and a layer of it, with each set, and what part of the CPU device's time that is. Attention is the
 * encoder overlay's, in one launch a layer.
 *
 * @param seconds The CPU device takes for a window, measured.
 */
export function kernelSetTable(dims: EncoderDimensions, host: HostRates, seconds: number): string {
  const demand = demandsOf(planEncoder(dims));
  const layers = dims.n_audio_layer;
  const rows = SETS.map(({ name, kernels, published }) => {
    const set = kernels.map(gemmKernelNamed);
    const { generation } = set[0].design;
    const [layer, window] = [new Sums(), new Sums()];
    for (const { size, count } of demand.products) {
      const { plan, cost } = best(set, size, host);
      window.add(count, plan, cost);
      if (count % layers === 0) layer.add(count / layers, plan, cost);
    }
    const attention = CATALOGUE.find(({ name }) => name === `encoder_attention_${generation}`);
    if (attention?.operation === "attention" && demand.attention) {
      const plan = planAttention(attention, demand.attention.T, demand.attention.heads);
      const cost = costOfAttention(plan, MODELLED_CLOCKS[generation], host);
      window.add(layers, plan, cost);
      layer.add(1, plan, cost);
    }
    const share = (window.npu + window.host) / (1e9 * seconds);
    return [name, ...layer.cells(), ...window.cells(), ms(window.host), `${share.toFixed(2)} ×`, published];
  });
  const cells = ["launches", "MiB in", "MiB out", "NPU ms"];
  const header = [
    "kernels",
    ...cells.with(0, "a layer: launches"),
    ...cells.with(0, "a window: launches"),
    "host ms",
    "of the CPU's time",
    "published",
  ];
  return textTable([header, ...rows]);
}
