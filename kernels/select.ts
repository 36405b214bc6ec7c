/**
 * Which devices there are here, and opening one of them.
 *
 * @module
 */

import { SottoError, type WarningSink } from "../errors.ts";
import type { CpuDeviceOptions } from "./cpu/device.ts";
import type { Device, DeviceName, DeviceProbe } from "./device.ts";

/** What to open: a device by name, or the best that is usable. */
export type DeviceChoice = "auto" | DeviceName;

/** Every device, the best first. */
export const DEVICE_NAMES: readonly DeviceName[] = ["cpu", "portable"];

/** How a device is opened. */
export interface DeviceOptions extends CpuDeviceOptions {
  /** Told, once, if `auto` could not take the best device. */
  readonly onWarning?: WarningSink;
}

/** Failures that `auto` answers with another device; all others, such as wrong options, are the caller's to mend. */
const NOT_USABLE: readonly string[] = ["E_NATIVE", "E_PERMISSION"];

/** Says of every device whether it can be used here, and if not why; the best first. Opens none for long. */
export async function probeDevices(options: DeviceOptions = {}): Promise<DeviceProbe[]> {
  return await Promise.all(DEVICE_NAMES.map((name) => probe(name, options)));
}

async function probe(name: DeviceName, options: DeviceOptions): Promise<DeviceProbe> {
  try {
    using device = await open(name, options);
    return { name, usable: true, detail: device.description, hint: "" };
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    return { name, usable: false, detail: error.message, hint: error.hint };
  }
}

/**
 * Opens a device.
 *
 * `auto` takes the CPU library if it is usable, else the portable device with one warning (W_DEVICE) that says why;
 * but where the caller gave the library's path, a library that is not usable is an error.
 *
 * @throws {SottoError} E_OPTION if there is no such device or an option is out of range; E_PERMISSION, E_NATIVE,
 * E_DEVICE if a device that was asked for by name is not usable.
 */
export async function openDevice(
  choice: DeviceChoice = "auto",
  options: DeviceOptions = {},
): Promise<Device> {
  if (choice !== "auto") return await open(choice, options);
  try {
    return await open("cpu", options);
  } catch (error) {
    const replaceable = error instanceof SottoError && NOT_USABLE.includes(error.code);
    if (!replaceable || options.library !== undefined) throw error;
    const message = `Using the portable device, which is many times slower: ${error.message}. ${error.hint}`;
    options.onWarning?.({ code: "W_DEVICE", message: message.trim() });
    return await open("portable", options);
  }
}

/** Imports a device's code only when it is wanted. */
async function open(name: DeviceName, options: DeviceOptions): Promise<Device> {
  switch (name) {
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
