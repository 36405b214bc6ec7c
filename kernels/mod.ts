/**
 * Devices that run encoder plans and the text decoder.
 *
 * @module
 */

export type {
  DecoderSession,
  Device,
  DeviceName,
  DeviceProbe,
  LoadedDecoder,
  LoadedPlan,
  MelFilters,
  RunOptions,
} from "./device.ts";
export { DEVICE_NAMES, type DeviceChoice, type DeviceOptions, openDevice, probeDevices } from "./select.ts";
export { operationsOf, type Plan, type Step } from "./step.ts";
