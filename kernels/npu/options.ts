/**
 * How an NPU device is opened.
 *
 * @module
 */

import type { WarningSink } from "../../errors.ts";
import type { CpuDeviceOptions } from "../cpu/device.ts";
import type { NpuPrecision } from "./policy.ts";
import type { DevicePolicy } from "./select.ts";

/** The variable that says how the emulated NPU behaves; `native/npu_model/README.md` defines it. */
export const MODEL_VARIABLE = "SOTTO_NPU_MODEL";

/** Which of the two NPU devices. */
export type NpuDeviceName = "npu" | "npu-emulated";

/** How an NPU device is opened. */
export interface NpuDeviceOptions extends CpuDeviceOptions {
  /** Path or `file:` URL of libsotto_xrt or libsotto_npu_emulated; default as `ffi/library_path.ts` says. */
  readonly npuLibrary?: string | URL;
  /** How the emulated NPU behaves, such as `device=strix`; default `SOTTO_NPU_MODEL`, where it may be read. */
  readonly npuModel?: string;
  /** Path or `file:` URL of a compiled overlay (xclbin); a real NPU needs one. */
  readonly npuOverlay?: string | URL;
  /** What products are computed in; default as the encoder's precision says: `auto` is `bfp16` on XDNA2, else `bf16`. */
  readonly npuPrecision?: NpuPrecision;
  /** Where products go: all to the NPU (default), or each where it is predicted to be faster. */
  readonly npuDispatch?: DevicePolicy;
  /**
   * Whether windows that wait together are done in two halves, one on the host while the other is on the NPU (default);
   * else all of them as one product, which takes fewer launches and more time.
   */
  readonly npuOverlap?: boolean;
  /** What a fault that stays leads to; default `fail` for `npu`, `cpu` for `npu-emulated`. */
  readonly onNpuFault?: "cpu" | "fail";
  /** Told, once, if the NPU fails and the CPU goes on. */
  readonly onWarning?: WarningSink;
}
