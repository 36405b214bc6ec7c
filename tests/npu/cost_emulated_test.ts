import assert from "node:assert/strict";
import { attentionRows, attentionStream } from "../../kernels/npu/attention_stream.ts";
import { gemmKernelNamed, kernelNamed, programOf } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { clockOf, type NpuClock } from "../../kernels/npu/clock.ts";
import { costOfAttention, costOfProduct, type NpuCost } from "../../kernels/npu/cost_model.ts";
import { bytesOf } from "../../kernels/npu/design.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import { planAttention, planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { encodeTransaction, type Generation, type Transaction } from "../../kernels/npu/transaction.ts";
import { Npu, type Opened } from "./_npu.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

/** Places of the counters, as native/include/sotto_xrt.h numbers them. */
const MODELLED_NANOSECONDS = 6;
const MODELLED_BYTES_IN = 8;
const MODELLED_BYTES_OUT = 9;
const MODELLED_OPERATIONS = 10;
const MODELLED_INSTRUCTIONS = 11;
const MODELLED_DMA_TASKS = 12;

/** Constants of the device that an overlay was opened on. */
async function clockOfDevice(npu: Npu, { device }: Opened, generation: Generation): Promise<NpuClock> {
  const { clock } = await npu.describe<{ clock: unknown }>((s, j, e) =>
    s.sotto_xrt_device_describe(device, ...j, ...e)
  );
  return clockOf(clock, generation);
}

/** What the model counts for a launch of a stream on buffers of these bytes. */
async function countersOf(
  npu: Npu,
  opened: Opened,
  stream: Transaction,
  bytes: readonly number[],
): Promise<number[]> {
  const buffers = [];
  for (const [i, size] of bytes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
  const run = await npu.run(opened.kernel, encodeTransaction(stream), buffers);
  await npu.finish(run); // the first launch also switches to the overlay
  await npu.finish(run);
  const counters = await npu.counters(run);
  npu.destroy(run, ...buffers);
  return counters;
}

/** Holds a prediction, without the host's part, against the model's time. */
function assertNear(
  { launch, compute, transfer }: NpuCost,
  counters: readonly number[],
  what: unknown,
): void {
  const ratio = (launch + Math.max(compute, transfer)) / counters[MODELLED_NANOSECONDS];
  assert(ratio > 0.9 && ratio < 1.1, `${JSON.stringify(what)}: predicted ${ratio} of the model's time`);
}

const HOST = { convert: 1, cpu: 1 };

for (
  const [name, settings] of [
    ["encoder_bf16_npu1", "device=phoenix"],
    ["encoder_i8_npu1", "device=phoenix"],
    ["encoder_bf16_npu2", "device=strix"],
    ["encoder_bfp16_npu2", "device=strix"],
  ] as const
) {
  testOnEmulatedNpu(`costs and counts predicted for ${name} are those of the emulated NPU`, [], async () => {
    const kernel = gemmKernelNamed(name);
    const { input, output } = programOf(kernel);
    const npu = new Npu();
    await npu.configure(settings);
    const opened = await npu.open(modelledXclbin(kernel.design));
    const clock = await clockOfDevice(npu, opened, kernel.design.generation);
    for (
      const size of [{ M: 1500, K: 512, N: 512 }, { M: 1500, K: 64, N: 1500 }, { M: 256, K: 2048, N: 512 }]
    ) {
      const plan = planProduct(kernel, size);
      const stream = planStream(plan);
      const { M, K, N } = plan.padded;
      const counters = await countersOf(npu, opened, stream, [
        bytesOf(input, M * K),
        bytesOf(input, K * N),
        bytesOf(output, M * N),
      ]);
      const report = checkStream(stream);
      assert.equal(counters[MODELLED_BYTES_IN], plan.bytes.in);
      assert.equal(counters[MODELLED_BYTES_OUT], plan.bytes.out);
      assert.equal(counters[MODELLED_OPERATIONS], plan.operations);
      assert.equal(counters[MODELLED_INSTRUCTIONS], report.operations);
      assert.equal(counters[MODELLED_DMA_TASKS], report.tasks.length);
      assertNear(costOfProduct(plan, clock, HOST), counters, size);
    }
    npu.close(opened);
    await npu.configure("");
  });
}

for (const [generation, settings] of [["npu1", "device=phoenix"], ["npu2", "device=strix"]] as const) {
  testOnEmulatedNpu(
    `costs predicted for attention on ${generation} are those of the emulated NPU`,
    [],
    async () => {
      const kernel = kernelNamed(`encoder_attention_${generation}`);
      assert(kernel.operation === "attention" && kernel.design !== null);
      const program = kernel.design.programs[kernel.program];
      assert(program.kind === "attention");
      const npu = new Npu();
      await npu.configure(settings);
      const opened = await npu.open(modelledXclbin(kernel.design));
      const clock = await clockOfDevice(npu, opened, generation);
      for (const { T, heads } of [{ T: 500, heads: 8 }, { T: 300, heads: 3 }]) {
        const plan = planAttention(kernel, T, heads);
        const values = attentionRows(kernel.design, program, T) * heads * kernel.width;
        const stream = attentionStream(kernel.design, [{ T, heads }]);
        const counters = await countersOf(npu, opened, stream, [3 * 2 * values, 2 * values]);
        assert.equal(counters[MODELLED_BYTES_IN], plan.bytes.in);
        assert.equal(counters[MODELLED_BYTES_OUT], plan.bytes.out);
        assertNear(costOfAttention(plan, clock, HOST), counters, { T, heads });
      }
      npu.close(opened);
      await npu.configure("");
    },
  );
}
