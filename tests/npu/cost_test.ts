import assert from "node:assert/strict";
import { planEncoder } from "../../encoder/plan.ts";
import {
  CATALOGUE,
  type GemmKernel,
  gemmKernelNamed,
  kernelNamed,
  programOf,
} from "../../kernels/npu/catalogue.ts";
import { clockOf, inRunlist, MODELLED_CLOCKS, type NpuClock } from "../../kernels/npu/clock.ts";
import { costOfProduct, costOnCpu, type HostRates } from "../../kernels/npu/cost_model.ts";
import { demandsOf } from "../../kernels/npu/demands.ts";
import { explainSelection, rowThreshold, selectKernels } from "../../kernels/npu/select.ts";
import { operationsOf } from "../../kernels/step.ts";
import { planProduct } from "../../kernels/npu/tiling.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const HOST: HostRates = { convert: 4, cpu: 100 };
const CLOCK = MODELLED_CLOCKS.npu1;

function kernelsOf(generation: string, input: string): GemmKernel[] {
  return CATALOGUE.filter((kernel): kernel is GemmKernel =>
    kernel.operation === "gemm" && kernel.design.generation === generation &&
    programOf(kernel).input === input
  );
}

Deno.test("MODELLED_CLOCKS are the model's", () => {
  const source = Deno.readTextFileSync(new URL("native/npu_model/clock.c", PROJECT_ROOT));
  for (const [name, clock] of [["xdna1", MODELLED_CLOCKS.npu1], ["xdna2", MODELLED_CLOCKS.npu2]] as const) {
    const body = new RegExp(`npu_clock_${name} = \\{([^;]*)\\};`).exec(source)?.[1];
    assert(body !== undefined, name);
    const field = (key: string) =>
      Number(new RegExp(`${key.replace(/[[\]]/g, "\\$&")} = ([\\d.e]+)`).exec(body)?.[1]);
    assert.deepEqual(clock, {
      source: "modelled",
      launch: field(".launch"),
      listedLaunch: field(".listed_launch"),
      contextSwitch: field(".context_switch"),
      instruction: field(".instruction"),
      channel: field(".channel"),
      memory: field(".memory"),
      round: field(".round"),
      rate: {
        i8: field("[CLOCK_I8]"),
        i16: field("[CLOCK_I16]"),
        bf16: field("[CLOCK_BF16]"),
        bfp16: field("[CLOCK_BFP16]"),
        vector: field("[CLOCK_VECTOR]"),
      },
    });
  }
});

Deno.test("clockOf() reads a device's constants, and takes the model's where there are none", () => {
  const { source: _, ...constants } = MODELLED_CLOCKS.npu2;
  assert.deepEqual(clockOf(constants, "npu1"), MODELLED_CLOCKS.npu2);
  assert.equal(clockOf(null, "npu1"), MODELLED_CLOCKS.npu1);
  assert.throws(() => clockOf({ ...constants, rate: {} }, "npu1"), {
    code: "E_NATIVE",
    message: /rate\.i8 must be/,
  });
});

Deno.test("costOfProduct() is launches, the slower of arithmetic and DMA, and the host's part", () => {
  const plan = planProduct(gemmKernelNamed("bf16_64x64"), { M: 64, K: 128, N: 64 });
  const clock: NpuClock = { ...CLOCK, launch: 1000, instruction: 10, round: 100, channel: 4, memory: 30 };
  const cost = costOfProduct(plan, clock, HOST);
  assert.equal(plan.launches, 2);
  assert.equal(cost.launch, 2 * (1000 + 11 * 10));
  assert.equal(cost.compute, 2 * (2 * 64 ** 3 / clock.rate.bf16 + 100));
  assert.equal(cost.transfer, 2 * 8192 / 4);
  assert.equal(cost.host, 4 * (64 * 128 + 2 * 2 * 64 * 64) / 4);
  assert.equal(cost.total, cost.launch + Math.max(cost.compute, cost.transfer) + cost.host);
  assert.equal(costOfProduct(plan, inRunlist(clock), HOST).launch, 2 * (clock.listedLaunch + 11 * 10));
  assert.equal(costOnCpu({ M: 10, K: 10, N: 10 }, HOST), 20);
});

Deno.test("selectKernels() takes the kernel that loops inside a launch over those of one size", () => {
  const demand = { name: "fc2", size: { M: 1500, K: 2048, N: 512 }, count: 6 };
  const { choices, launches, total, source } = selectKernels(
    { products: [demand], attention: null },
    kernelsOf("npu1", "bf16"),
    CLOCK,
    HOST,
  );
  assert.equal(choices[0].plan.kernel.name, "encoder_bf16_npu1");
  assert.equal(launches, 6);
  assert.equal(total, 6 * choices[0].cost.total);
  assert.equal(source, "modelled");
});

Deno.test("selectKernels() keeps to one overlay for all products of a run", () => {
  const fixed = kernelsOf("npu2", "i8").filter((kernel) => kernel.launch !== null);
  const { choices } = selectKernels(
    {
      products: [
        { name: "fc1", size: { M: 512, K: 512, N: 2048 }, count: 1 },
        { name: "fc2", size: { M: 512, K: 2048, N: 512 }, count: 1 },
      ],
      attention: null,
    },
    fixed,
    MODELLED_CLOCKS.npu2,
    { ...HOST, cpu: 1 },
  );
  assert.equal(choices[0].plan.kernel.design.columns, choices[1].plan.kernel.design.columns);
});

Deno.test("rowThreshold() is where the faster device changes", () => {
  const kernel = gemmKernelNamed("encoder_bf16_npu1");
  const size = { K: 512, N: 512 };
  const threshold = rowThreshold(kernel, size, CLOCK, HOST);
  assert(threshold !== null && threshold > 1 && threshold < 1500, String(threshold));
  const npuWins = (M: number) =>
    costOfProduct(planProduct(kernel, { M, ...size }), CLOCK, HOST).total < costOnCpu({ M, ...size }, HOST);
  assert.deepEqual([npuWins(threshold - 1), npuWins(threshold)], [false, true]);
  assert.equal(rowThreshold(kernel, size, CLOCK, { ...HOST, cpu: 1e9 }), null);
});

Deno.test("selectKernels() is hybrid unless the NPU is asked for", () => {
  const demands = [
    { name: "small", size: { M: 8, K: 64, N: 64 }, count: 1 },
    { name: "large", size: { M: 1500, K: 512, N: 2048 }, count: 1 },
  ];
  const kernels = kernelsOf("npu1", "bf16");
  const devices = (policy: "hybrid" | "npu") =>
    selectKernels({ products: demands, attention: null }, kernels, CLOCK, HOST, policy).choices.map((
      choice,
    ) => choice.device);
  assert.deepEqual(devices("hybrid"), ["cpu", "npu"]);
  assert.deepEqual(devices("npu"), ["npu", "npu"]);
  assert.throws(() => selectKernels({ products: demands, attention: null }, [], CLOCK, HOST), {
    code: "E_OPTION",
  });
});

Deno.test("explainSelection() says what goes where, why, and that times are modelled", () => {
  const text = explainSelection(selectKernels(
    {
      products: [
        { name: "small", size: { M: 8, K: 64, N: 64 }, count: 3 },
        { name: "large", size: { M: 1500, K: 512, N: 2048 }, count: 6 },
      ],
      attention: { name: "attention", T: 1500, heads: 8, count: 6 },
    },
    [...kernelsOf("npu1", "bf16"), kernelNamed("encoder_attention_npu1")],
    CLOCK,
    { convert: 40, cpu: 100 },
  ));
  const [header, small, large, attention, sum] = text.split("\n");
  assert.match(
    header,
    /product +size +times +device +kernel +launches +NPU with host, ms modelled +CPU ms +from rows +why/,
  );
  assert.match(small, /^small +8×64×64 +3 +cpu .* the CPU is faster/);
  assert.match(large, /^large +1500×512×2048 +6 +npu +encoder_bf16_npu1 +1 .* bound by (arithmetic|DMA)$/);
  assert.match(attention, /^attention +8 × 1500² +6 +npu +encoder_attention_npu1 +1 .* bound by arithmetic$/);
  assert.match(sum, /^12 launches, [\d.]+ ms modelled in all, conversions on the host among them$/);
});

Deno.test("demandsOf() finds every product and all attention of a base encoder, and counts their operations", () => {
  const dims = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 512, n_audio_head: 8, n_audio_layer: 6 };
  const plan = planEncoder(dims);
  const { products, attention } = demandsOf(plan);
  const shown = products.map(({ size: { M, K, N }, count }) => `${M}×${K}×${N} ${count}`);
  assert.deepEqual(shown, [
    "3000×240×512 1",
    "1500×1536×512 1",
    "1500×512×1536 6",
    "1500×512×512 6",
    "1500×512×2048 6",
    "1500×2048×512 6",
  ]);
  const names = ["conv1", "conv2", "query, key, value", "attention out", "mlp up", "mlp down"];
  assert.deepEqual(products.map(({ name }) => name), names);
  assert.deepEqual(attention, { name: "attention", T: 1500, heads: 8, count: 6 });
  const counted = products.reduce((sum, { size: { M, K, N }, count }) => sum + 2 * count * M * K * N, 0) +
    6 * 4 * 1500 ** 2 * 512;
  assert.equal(counted, plan.steps.reduce((sum, step) => sum + operationsOf(step), 0));
  const four = demandsOf(plan, 4);
  assert.deepEqual(four.products.map(({ size }) => size.M), products.map(({ size }) => 4 * size.M));
  assert.equal(four.attention?.count, 24);
});

Deno.test("a base window takes fewer than 100 launches on the overlays that loop", () => {
  const dims = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 512, n_audio_head: 8, n_audio_layer: 6 };
  for (const generation of ["npu1", "npu2"] as const) {
    const kernels = [...kernelsOf(generation, "bf16"), kernelNamed(`encoder_attention_${generation}`)];
    const selection = selectKernels(
      demandsOf(planEncoder(dims)),
      kernels,
      MODELLED_CLOCKS[generation],
      HOST,
      "npu",
    );
    assert.equal(selection.launches, 2 + 6 * 4 + 6);
  }
});
