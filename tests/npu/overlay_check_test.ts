import assert from "node:assert/strict";
import { CATALOGUE, ENCODER_NPU1, ENCODER_NPU2, tilesOf } from "../../kernels/npu/catalogue.ts";
import { modelledPdi, modelledXclbin } from "../../kernels/npu/container.ts";
import { designOfPdi } from "../../kernels/npu/design_text.ts";
import { checkOverlay } from "../../kernels/npu/overlay_check.ts";
import { mlirAieKernels, mlirAieMemory, mlirAiePartition } from "../../kernels/xclbin/mlir_aie.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { testWithData } from "../support/shared_data.ts";

const PHOENIX = { generation: "npu1", columns: 4 } as const;
const STRIX = { generation: "npu2", columns: 8 } as const;

Deno.test("designOfPdi() takes back every design of the catalogue", () => {
  for (const { design } of CATALOGUE) {
    if (design !== null) assert.deepEqual(designOfPdi(modelledPdi(design)), design);
  }
  assert.equal(designOfPdi(new Uint8Array(100)), null);
});

Deno.test("designOfPdi() refuses lines that are none", () => {
  const text = new TextDecoder().decode(modelledPdi(ENCODER_NPU1));
  for (
    const [from, to] of [
      ["array npu1", "array npu3"],
      ["runtime", "walktime"],
      ["program 1", "program 2"],
      ["a i8 b i8", "a i8 b i16"],
      ["attention", "inattention"],
    ]
  ) {
    assert(text.includes(from));
    assert.throws(() => designOfPdi(new TextEncoder().encode(text.replace(from, to))), { code: "E_XCLBIN" });
  }
});

Deno.test("checkOverlay() takes overlays for the device", () => {
  const checked = checkOverlay(modelledXclbin(ENCODER_NPU1), PHOENIX);
  assert.equal(checked.kernel.name, "MLIR_AIE");
  assert.deepEqual(checked.design, ENCODER_NPU1);
  assert.equal(tilesOf(checkOverlay(modelledXclbin(ENCODER_NPU2), STRIX).design!), 32);
});

Deno.test("checkOverlay() refuses overlays for another device, too wide ones, and other kernels", () => {
  const refused = (run: () => unknown, message: RegExp) =>
    assert.throws(run, { name: "SottoError", code: "E_XCLBIN", message });
  const npu1 = modelledXclbin(ENCODER_NPU1);
  refused(() => checkOverlay(npu1, STRIX), /the device is npu2: got an overlay for npu1/);
  refused(() => checkOverlay(modelledXclbin(ENCODER_NPU2), PHOENIX), /has 4 columns: got an overlay of 8/);
  refused(
    () => checkOverlay(npu1, { ...PHOENIX, kernel: "MLIR_AIR" }),
    /must have a kernel MLIR_AIR: got MLIR_AIE/,
  );
  refused(() => checkOverlay(npu1.subarray(0, 8), PHOENIX), /header must lie inside/);
  const packed = (kernels: string) =>
    packXclbin({
      partition: mlirAiePartition(1, [1], "0"),
      kernels,
      memory: mlirAieMemory(),
      pdi: () => new Uint8Array(16),
    });
  refused(
    () => checkOverlay(packed(mlirAieKernels().replace('"SCALAR"', '"GLOBAL"')), PHOENIX),
    /must take a scalar, instructions/,
  );
  refused(
    () => checkOverlay(packed(mlirAieKernels().replace('"memory-connection":"SRAM",', "")), PHOENIX),
    /must be connected to memory/,
  );
});

testWithData(
  "checkOverlay() takes the real overlays",
  ["xclbin/matmul_256x256x256_64x64x32_1core.npu1.xclbin", "xclbin/mel_fixed_v3.npu1.xclbin"],
  (...paths) => {
    for (const path of paths) assert.equal(checkOverlay(Deno.readFileSync(path), PHOENIX).design, null);
  },
);
