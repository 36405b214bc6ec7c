/**
 * A whole pass of the real base encoder over real speech on an NPU device.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { planEncoder } from "../../encoder/mod.ts";
import { ENCODER_NPU1 } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { NpuDevice, type NpuDeviceName } from "../../kernels/npu/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import { readGolden, relativeError } from "../support/golden.ts";

/** What a pass gave. */
export interface BasePass {
  /** SHA-256 of the features [1500, 512]. */
  readonly digest: string;
  /** Relative L2 error against PyTorch's. */
  readonly error: number;
  readonly launches: number;
  readonly milliseconds: number;
}

/** What a pass needs of `../shared/data`. */
export const BASE_PASS_DATA: readonly string[] = ["whisper-base-encoder", "golden/jfk.safetensors"];

/** @param library Path of the library that has the NPU's interface; default where the build put it. */
export async function basePass(
  device: NpuDeviceName,
  data: string,
  npuPrecision: "bf16" | "int8",
  library?: string,
): Promise<BasePass> {
  const { log_mel, encoder_output } = await readGolden(`${data}${BASE_PASS_DATA[1]}`);
  const { dims, weights } = await openCheckpoint(`${data}${BASE_PASS_DATA[0]}`);
  const overlay = await Deno.makeTempFile({ suffix: ".xclbin" });
  try {
    await Deno.writeFile(overlay, modelledXclbin(ENCODER_NPU1));
    using npu = await NpuDevice.open(device, {
      threads: 2,
      npuLibrary: library,
      npuOverlay: overlay,
      npuPrecision,
      onNpuFault: "fail",
    });
    using plan = await npu.loadPlan(planEncoder(dims.encoder), weights);
    const started = performance.now();
    const features = await plan.run(log_mel);
    return {
      digest: createHash("sha256").update(new Uint8Array(features.buffer)).digest("hex"),
      error: relativeError(features, encoder_output),
      launches: npu.usage().launches,
      milliseconds: performance.now() - started,
    };
  } finally {
    await Deno.remove(overlay);
  }
}
