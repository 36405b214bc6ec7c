/** Overlays that hold a configuration, and so a kernel, for each program: what `build.py` makes of an encoder's. */

import assert from "node:assert/strict";
import { XrtContext, XrtKernel } from "../../ffi/xrt_objects.ts";
import { ENCODER_NPU1, ENCODER_NPU2, gemmKernelNamed } from "../../kernels/npu/catalogue.ts";
import { modelledPdi, modelledXclbin } from "../../kernels/npu/container.ts";
import type { OverlayDesign } from "../../kernels/npu/design.ts";
import { checkOverlay } from "../../kernels/npu/overlay_check.ts";
import { designWithin, programKernels } from "../../kernels/npu/program_kernels.ts";
import type { NpuUsage } from "../../kernels/npu/statistics.ts";
import { mlirAieKernels, mlirAieMemory, mlirAiePartition } from "../../kernels/xclbin/mlir_aie.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { logMel, openEmulated, PLAN, WEIGHTS } from "../npu/_encoder.ts";
import { testOnEmulatedNpu } from "../npu/_with_emulated.ts";

const NPU1 = ["encoder_bf16_npu1", "encoder_i8_npu1", "encoder_attention_npu1"] as const;
const PHOENIX = { generation: "npu1", columns: 4 } as const;

/** Calls back for each run that is made: its kernel's name and how many buffers it is given. */
async function watchRuns(
  seen: (kernel: string, buffers: number) => void,
  body: () => Promise<void>,
): Promise<void> {
  const { kernel: open } = XrtContext.prototype, { run: make } = XrtKernel.prototype;
  const names = new Map<XrtKernel, string>();
  XrtContext.prototype.kernel = function (name = "MLIR_AIE") {
    const kernel = open.call(this, name);
    names.set(kernel, name);
    return kernel;
  };
  XrtKernel.prototype.run = function (instructions, buffers) {
    seen(names.get(this)!, buffers.length);
    return make.call(this, instructions, buffers);
  };
  try {
    await body();
  } finally {
    XrtContext.prototype.kernel = open;
    XrtKernel.prototype.run = make;
  }
}

/** A container with these kernels on one modelled PDI, or on as many as there are kernels. */
function packed(design: OverlayDesign, names: readonly string[], apart = false): Uint8Array<ArrayBuffer> {
  const [kernel] = JSON.parse(mlirAieKernels())["ps-kernels"].kernels;
  const ids = names.map((_, index) => `0x${(0x901 + index).toString(16)}`);
  const kernels = names.map((name, index) => ({
    ...kernel,
    name,
    instances: [{ name: `${name}_1` }],
    "extended-data": { ...kernel["extended-data"], "dpu_kernel_id": ids[index] },
  }));
  const partition = JSON.parse(mlirAiePartition(design.columns, [1], "00112233-4455-6677-8899-aabbccddeeff"));
  const [pdi] = partition.aie_partition.PDIs;
  const pdiFor = (kernelIds: readonly string[], index: number) => ({
    ...pdi,
    cdo_groups: [{ ...pdi.cdo_groups[0], pdi_id: `0x${index + 1}`, dpu_kernel_ids: kernelIds }],
  });
  partition.aie_partition.PDIs = apart ? ids.map((id, index) => pdiFor([id], index)) : [pdiFor(ids, 0)];
  return packXclbin({
    partition: JSON.stringify(partition),
    kernels: JSON.stringify({ "ps-kernels": { kernels } }),
    memory: mlirAieMemory(),
    pdi: () => modelledPdi(design),
  });
}

Deno.test("programKernels() names a program's kernel after its entry, or MLIR_AIE for all", () => {
  assert.deepEqual(programKernels(ENCODER_NPU1, ["MLIR_AIE"]), ["MLIR_AIE", "MLIR_AIE", "MLIR_AIE"]);
  assert.deepEqual(programKernels(ENCODER_NPU1, NPU1), NPU1);
  assert.deepEqual(programKernels(ENCODER_NPU1, NPU1.slice(0, 1)), [NPU1[0], null, null]);
  assert.deepEqual(programKernels(ENCODER_NPU2, NPU1), [null, null, null, null]);
  const { design } = gemmKernelNamed("bf16_64x512");
  assert.deepEqual(programKernels(design, ["bf16_64x512"]), [null], "no encoder's");
});

Deno.test("designWithin() leaves out programs that have no kernel", () => {
  assert.equal(designWithin(ENCODER_NPU1, NPU1), ENCODER_NPU1);
  const { programs, ...array } = designWithin(ENCODER_NPU1, [NPU1[0], NPU1[2]]);
  assert.deepEqual(programs, [ENCODER_NPU1.programs[0], ENCODER_NPU1.programs[2]]);
  assert.deepEqual({ ...array, programs: ENCODER_NPU1.programs }, ENCODER_NPU1);
});

Deno.test("checkOverlay() takes kernels of programs, the bf16 product's among them", () => {
  const host = { ...PHOENIX, runs: ENCODER_NPU1 };
  for (const apart of [false, true]) {
    const { kernel, xclbin } = checkOverlay(packed(ENCODER_NPU1, NPU1, apart), host);
    assert.equal(kernel.name, NPU1[0]);
    assert.equal(xclbin.partition?.pdis.length, apart ? 3 : 1);
  }
  assert.equal(checkOverlay(modelledXclbin(ENCODER_NPU1), host).kernel.name, "MLIR_AIE");
  for (const kernels of [[NPU1[1]], ["encoder_bf16_npu2"], ["encoder_bf16"]]) {
    assert.throws(() => checkOverlay(packed(ENCODER_NPU1, kernels), host), {
      code: "E_XCLBIN",
      message: new RegExp(`must have a kernel MLIR_AIE: got ${kernels}`),
    });
  }
});

testOnEmulatedNpu("an encoder's pass is the same by a kernel for each program", [], async () => {
  const passes: { output: Float32Array; usage: NpuUsage }[] = [];
  const folder = await Deno.makeTempDir();
  try {
    for (const kernels of [["MLIR_AIE"], NPU1]) {
      const called = new Set<string>();
      const npuOverlay = `${folder}/${kernels.length}.xclbin`;
      await Deno.writeFile(npuOverlay, packed(ENCODER_NPU1, kernels));
      await watchRuns((kernel, buffers) => {
        called.add(kernel);
        // Products have A, B and C; attention has Q, K and V in one.
        if (kernel !== "MLIR_AIE") assert.equal(kernel === NPU1[2], buffers === 2, `${kernel} ${buffers}`);
      }, async () => {
        using device = await openEmulated({ npuOverlay, npuPrecision: "int8" });
        using loaded = await device.loadPlan(PLAN, WEIGHTS);
        passes.push({ output: await loaded.run(logMel()), usage: device.usage() });
      });
      assert.deepEqual([...called].sort(), [...kernels].sort());
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const [one, each] = passes;
  assert.deepEqual(each.output, one.output);
  assert.equal(each.usage.launches, one.usage.launches);
  assert.ok(one.usage.launches > 0);
});

testOnEmulatedNpu("without a kernel for it, attention is the CPU's", [], async () => {
  const folder = await Deno.makeTempDir();
  try {
    const npuOverlay = `${folder}/products.xclbin`;
    const design = designWithin(ENCODER_NPU1, NPU1.slice(0, 1));
    await Deno.writeFile(npuOverlay, packed(design, NPU1.slice(0, 1)));
    using device = await openEmulated({ npuOverlay });
    assert.equal(device.policy.name, "bf16");
    using loaded = await device.loadPlan(PLAN, WEIGHTS);
    const output = await loaded.run(logMel());
    assert.ok(output.every(Number.isFinite));
    const named = (kind: string) =>
      device.profile().filter((operation) => operation.kind === kind).map(({ name }) => name);
    assert.ok(named("cpu").includes("attention"), String(named("cpu")));
    assert.ok(!named("launch").includes("attention"));
    assert.ok(named("launch").length > 0);
    const { selection } = await device.dispatch(PLAN);
    assert.equal(selection.attention, null);
    assert.ok(selection.choices.length > 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
