/**
 * What an NPU device opens: its library, a compiled overlay, and the CPU device beside it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { SottoError } from "../../errors.ts";
import { mayRead } from "../../ffi/permission.ts";
import { XrtLibrary } from "../../ffi/xrt_library.ts";
import { CpuDevice } from "../cpu/device.ts";
import type { Device } from "../device.ts";
import { openPortableDevice } from "../portable/device.ts";
import type { NpuDeviceName, NpuDeviceOptions } from "./options.ts";

/**
 * Opens the library of a device. Where there is no NPU at all, that is the reason, not that its library is missing.
 *
 * @throws {SottoError} E_NPU_ABSENT, E_NATIVE, E_PERMISSION.
 */
export async function openLibrary(name: NpuDeviceName, given: string | URL | undefined): Promise<XrtLibrary> {
  if (name === "npu-emulated") return XrtLibrary.open("sotto_npu_emulated", given);
  try {
    return XrtLibrary.open("sotto_xrt", given);
  } catch (error) {
    if (!(error instanceof SottoError) || error.code !== "E_NATIVE" || given !== undefined) throw error;
    const found = await hasAccelerator();
    if (found === true || (found === null && !/no such file/i.test(error.message))) throw error;
    const why = found === false
      ? "there is no /dev/accel/accel*"
      : `libxrt or libsotto_xrt is missing: ${error.message}`;
    throw new SottoError("E_NPU_ABSENT", `Cannot use the NPU: ${why}`, {
      hint: "Install the amdxdna driver and XRT 2.19 or newer, or use --device cpu.",
      cause: error,
    });
  }
}

/** Where Linux shows accelerators: accel0 …. */
const ACCELERATORS = "/dev/accel";

/** Whether the kernel shows an accelerator; null where that may not be asked (Deno wants all permissions for /dev). */
async function hasAccelerator(): Promise<boolean | null> {
  if (!mayRead(ACCELERATORS)) return null;
  try {
    for await (const entry of Deno.readDir(ACCELERATORS)) if (entry.name.startsWith("accel")) return true;
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? false : null;
  }
}

/**
 * Reads a compiled overlay.
 *
 * @throws {SottoError} E_INPUT if there is no such file.
 */
export async function readOverlay(given: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const path = given instanceof URL || given.startsWith("file:") ? fileURLToPath(given) : given;
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new SottoError("E_INPUT", `Cannot read the overlay ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * The native CPU device; the portable one where there is no library, and none was given. Where there may be one that
 * may not be used, that is the error: whoever grants one library can grant the other.
 *
 * @throws {SottoError} E_PERMISSION.
 */
export function openHost(options: NpuDeviceOptions): Device {
  try {
    return CpuDevice.open(options);
  } catch (error) {
    const isMissing = error instanceof SottoError && error.code === "E_NATIVE";
    if (!isMissing || options.library !== undefined) throw error;
    const message = `Converting for the NPU in TypeScript, which is many times slower: ${error.message}`;
    options.onWarning?.({ code: "W_DEVICE", message });
    return openPortableDevice();
  }
}
