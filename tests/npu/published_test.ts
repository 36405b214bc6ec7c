/** Modelled times against times that others measured on real NPUs. */

import { ok } from "node:assert/strict";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import { MODELLED_CLOCKS } from "../../kernels/npu/clock.ts";
import { gemmKernelNamed } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { costOfProduct } from "../../kernels/npu/cost_model.ts";
import {
  modelledEncoder,
  PUBLISHED_ENCODERS,
  PUBLISHED_PEAKS,
  PUBLISHED_PRODUCTS,
  publishedKernel,
} from "../../kernels/npu/published.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { encodeTransaction } from "../../kernels/npu/transaction.ts";
import { Npu } from "./_npu.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const TOLERANCE = 0.2;

/** The time of one launch of a product, modelled ns. */
async function modelledTime(
  tileColumns: 32 | 64,
  size: { M: number; K: number; N: number },
): Promise<number> {
  const npu = new Npu();
  await npu.configure("");
  const kernel = publishedKernel(tileColumns);
  const opened = await npu.open(modelledXclbin(kernel.design));
  const plan = planProduct(kernel, size);
  const { M, K, N } = plan.padded;
  const buffers = await Promise.all(
    [2 * M * K, 2 * K * N, 4 * M * N].map((bytes, i) => npu.buffer(opened.kernel, 3 + i, bytes)),
  );
  const run = await npu.run(opened.kernel, encodeTransaction(planStream(plan)), buffers);
  await npu.finish(run);
  const counters = await npu.counters(run);
  npu.destroy(run, ...buffers);
  npu.close(opened);
  return counters[SottoXrtCounter.SOTTO_XRT_COUNT_MODELLED_NANOSECONDS];
}

for (const { tileColumns, rate, fitted, ...size } of PUBLISHED_PRODUCTS) {
  const { M, K, N } = size;
  const title =
    `modelled rate of ${M}×${K}×${N} in bf16 on XDNA1 is within 20 % of the measured ${rate} GFLOP/s`;
  testOnEmulatedNpu(`${title}${fitted ? " (fitted on it)" : ""}`, [], async () => {
    const modelled = 2 * M * K * N / await modelledTime(tileColumns, size);
    console.log(`  modelled ${modelled.toFixed(0)} GFLOP/s, ${(100 * (modelled / rate - 1)).toFixed(1)} %`);
    ok(Math.abs(modelled / rate - 1) < TOLERANCE, `${modelled}`);
  });
}

testOnEmulatedNpu(
  "modelled launch of a 512³ product takes the measured 0.267 ms (fitted on it)",
  [],
  async () => {
    const modelled = await modelledTime(64, { M: 512, K: 512, N: 512 }) / 1e6;
    console.log(`  modelled ${modelled.toFixed(3)} ms`);
    ok(Math.abs(modelled / 0.267 - 1) < 0.05, `${modelled}`);
  },
);

for (const encoder of PUBLISHED_ENCODERS) {
  const { name, milliseconds, fitted } = encoder;
  const title =
    `modelled time of the ${name} encoder on XDNA1 is within 20 % of the measured ${milliseconds} ms`;
  Deno.test(`${title}${fitted ? " (its host is fitted on it)" : ""}`, () => {
    const modelled = modelledEncoder(encoder, MODELLED_CLOCKS.npu1);
    console.log(
      `  modelled ${modelled.toFixed(0)} ms, ${(100 * (modelled / milliseconds - 1)).toFixed(1)} %`,
    );
    ok(Math.abs(modelled / milliseconds - 1) < TOLERANCE, `${modelled}`);
  });
}

for (const { kernel, rate } of PUBLISHED_PEAKS) {
  Deno.test(`modelled rate of ${kernel} is within 20 % of the measured ${rate} GFLOP/s (fitted on it)`, () => {
    const side = 4096;
    const plan = planProduct(gemmKernelNamed(kernel), { M: side, K: side, N: side });
    const cost = costOfProduct(plan, MODELLED_CLOCKS.npu2, { convert: Infinity, cpu: Infinity });
    const modelled = 2 * side ** 3 / cost.total;
    console.log(`  modelled ${modelled.toFixed(0)} GFLOP/s, ${(100 * (modelled / rate - 1)).toFixed(1)} %`);
    ok(Math.abs(modelled / rate - 1) < TOLERANCE, `${modelled}`);
  });
}
