import assert from "node:assert/strict";
import { gemmKernelNamed, programOf } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { clockOf } from "../../kernels/npu/clock.ts";
import { costOfProduct } from "../../kernels/npu/cost_model.ts";
import { bytesOf } from "../../kernels/npu/design.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { encodeTransaction } from "../../kernels/npu/transaction.ts";
import { Npu } from "./_npu.ts";

/** Places of the counters, as native/include/sotto_xrt.h numbers them. */
const MODELLED_NANOSECONDS = 6;
const MODELLED_BYTES_IN = 8;
const MODELLED_BYTES_OUT = 9;
const MODELLED_OPERATIONS = 10;
const MODELLED_INSTRUCTIONS = 11;
const MODELLED_DMA_TASKS = 12;

for (
  const [name, settings] of [
    ["encoder_bf16_npu1", "device=phoenix"],
    ["encoder_i8_npu1", "device=phoenix"],
    ["encoder_bf16_npu2", "device=strix"],
    ["encoder_bfp16_npu2", "device=strix"],
  ] as const
) {
  Deno.test(`costs and counts predicted for ${name} are those of the emulated NPU`, async () => {
    const kernel = gemmKernelNamed(name);
    const { input, output } = programOf(kernel);
    const npu = new Npu();
    await npu.configure(settings);
    const opened = await npu.open(modelledXclbin(kernel.design));
    const { clock } = await npu.describe<{ clock: unknown }>((s, j, e) =>
      s.sotto_xrt_device_describe(opened.device, ...j, ...e)
    );
    for (
      const size of [{ M: 1500, K: 512, N: 512 }, { M: 1500, K: 64, N: 1500 }, { M: 256, K: 2048, N: 512 }]
    ) {
      const plan = planProduct(kernel, size);
      const stream = planStream(plan);
      const { padded } = plan;
      const buffers = [
        await npu.buffer(opened.kernel, 3, bytesOf(input, padded.M * padded.K)),
        await npu.buffer(opened.kernel, 4, bytesOf(input, padded.K * padded.N)),
        await npu.buffer(opened.kernel, 5, bytesOf(output, padded.M * padded.N)),
      ];
      const run = await npu.run(opened.kernel, encodeTransaction(stream), buffers);
      await npu.finish(run); // the first launch also switches to the overlay
      await npu.finish(run);
      const counters = await npu.counters(run);
      const report = checkStream(stream);
      assert.equal(counters[MODELLED_BYTES_IN], plan.bytes.in);
      assert.equal(counters[MODELLED_BYTES_OUT], plan.bytes.out);
      assert.equal(counters[MODELLED_OPERATIONS], plan.operations);
      assert.equal(counters[MODELLED_INSTRUCTIONS], report.operations);
      assert.equal(counters[MODELLED_DMA_TASKS], report.tasks.length);
      const cost = costOfProduct(plan, clockOf(clock, kernel.design.generation), { convert: 1, cpu: 1 });
      const ratio = (cost.launch + Math.max(cost.compute, cost.transfer)) / counters[MODELLED_NANOSECONDS];
      assert(ratio > 0.9 && ratio < 1.1, `${JSON.stringify(size)}: predicted ${ratio} of the model's time`);
      npu.destroy(run, ...buffers);
    }
    npu.close(opened);
    await npu.configure("");
  });
}
