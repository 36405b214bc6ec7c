/**
 * Number formats for a device: by its own native code, or by plain TypeScript. The bits are the same.
 *
 * @module
 */

import { type Formats, PORTABLE_FORMATS } from "../tensor/formats.ts";
import { CpuDevice } from "./cpu/device.ts";
import type { Device } from "./device.ts";

/** The fastest conversions that come with a device; `name` says which they are. */
export function formatsOf(device: Device): Formats {
  return device instanceof CpuDevice ? device.formats : PORTABLE_FORMATS;
}
