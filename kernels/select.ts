/**
 * Which devices there are here, and opening one of them.
 *
 * @module
 */

import { SottoError, type Warning, type WarningSink } from "../errors.ts";
import { type LibraryStep, librarySteps } from "../ffi/library_path.ts";
import { NPU_FAULTS } from "../ffi/xrt_error.ts";
import type { Device, DeviceName, DeviceProbe } from "./device.ts";
import type { NpuDeviceOptions } from "./npu/options.ts";

/** What to open: a device by name, or the best that is usable. */
export type DeviceChoice = "auto" | DeviceName;

/** Every device, the best first; `npu-emulated` is for development, and never taken by `auto`. */
export const DEVICE_NAMES: readonly DeviceName[] = ["npu", "npu-emulated", "cpu", "portable"];

/** How a device is opened. */
export interface DeviceOptions extends NpuDeviceOptions {
  /** Told, once, if `auto` could not take the best device (if not given: printed), or if a device failed on the way. */
  readonly onWarning?: WarningSink;
}

/** Failures that `auto` answers with another device; all others, such as wrong options, are the caller's to mend. */
const NOT_USABLE: readonly string[] = ["E_NATIVE", "E_PERMISSION", ...NPU_FAULTS];

function isReplaceable(error: unknown): error is SottoError {
  return error instanceof SottoError && NOT_USABLE.includes(error.code);
}

/**
 * Says of every device whether it can be used here, and if not why; the best first. Opens none for long.
 *
 * The NPU's rows tell apart: no NPU or driver (E_NPU_ABSENT), one this user may not open (E_NPU_PERMISSION), too little
 * lockable memory for it (E_NPU_MEMLOCK).
 */
export async function probeDevices(options: DeviceOptions = {}): Promise<DeviceProbe[]> {
  return await Promise.all(DEVICE_NAMES.map((name) => probe(name, options)));
}

/** Each step of the search for a device's library. */
function stepsFor(name: DeviceName, { library, npuLibrary }: DeviceOptions): LibraryStep[] {
  switch (name) {
    case "npu":
      return librarySteps("sotto_xrt", npuLibrary);
    case "npu-emulated":
      return librarySteps("sotto_npu_emulated", npuLibrary);
    case "cpu":
      return librarySteps("sotto_cpu", library);
    default:
      return [];
  }
}

async function probe(name: DeviceName, options: DeviceOptions): Promise<DeviceProbe> {
  const looked = stepsFor(name, options);
  try {
    using device = await open(name, options);
    return { name, usable: true, detail: device.description, hint: "", code: null, looked };
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    return { name, usable: false, detail: error.message, hint: error.hint, code: error.code, looked };
  }
}

/** Prints that another device runs than the best, for a caller who takes no warnings: it may be many times slower. */
export function printDeviceWarning({ code, message }: Warning): void {
  if (code === "W_DEVICE") console.warn(`sotto: ${message}`);
}

/**
 * Opens a device.
 *
 * `auto` takes a real NPU where a compiled overlay was given for it and it is usable; else the CPU library; else the
 * portable device, with one warning (W_DEVICE) that says why. Where the caller gave the CPU library's path, a library
 * that is not usable is an error. On the NPU each product goes where it is predicted to be faster, there or on the CPU
 * (`npu/dispatch.ts`).
 *
 * @throws {SottoError} E_OPTION if there is no such device or an option is out of range; E_PERMISSION, E_NATIVE,
 * E_DEVICE if a device that was asked for by name is not usable.
 */
export async function openDevice(
  choice: DeviceChoice = "auto",
  options: DeviceOptions = {},
): Promise<Device> {
  if (choice !== "auto") return await open(choice, options);
  const { onWarning = printDeviceWarning } = options;
  if (options.npuOverlay !== undefined) {
    try {
      return await open("npu", { npuDispatch: "hybrid", ...options, onNpuFault: "cpu" });
    } catch (error) {
      if (!isReplaceable(error)) throw error;
      const message = `Using the CPU, not the NPU: ${error.message}. ${error.hint}`;
      onWarning({ code: "W_DEVICE", message: message.trim() });
    }
  }
  try {
    return await open("cpu", options);
  } catch (error) {
    if (!isReplaceable(error) || options.library !== undefined) throw error;
    const message = `Using the portable device, which is many times slower: ${error.message}. ${error.hint}`;
    onWarning({ code: "W_DEVICE", message: message.trim() });
    return await open("portable", options);
  }
}

/** Imports a device's code only when it is wanted. */
async function open(name: DeviceName, options: DeviceOptions): Promise<Device> {
  switch (name) {
    case "npu":
    case "npu-emulated":
      return await (await import("./npu/device.ts")).NpuDevice.open(name, options);
    case "cpu":
      return (await import("./cpu/device.ts")).CpuDevice.open(options);
    case "portable":
      return (await import("./portable/device.ts")).openPortableDevice();
    default:
      throw new SottoError(
        "E_OPTION",
        `Cannot open device "${name}": must be one of auto, ${DEVICE_NAMES.join(", ")}`,
      );
  }
}
