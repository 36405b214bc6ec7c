/**
 * Devices that run encoder plans and the text decoder.
 *
 * @module
 */

export type {
  AlignmentOptions,
  DecoderOptions,
  DecoderPrecision,
  DecoderSession,
  Device,
  DeviceName,
  DeviceProbe,
  LoadedDecoder,
  LoadedPlan,
  LoadPlanOptions,
  LogitReader,
  MelFilters,
  RunOptions,
  SessionStep,
  TextAlignment,
} from "./device.ts";
export type { CpuDeviceOptions } from "./cpu/device.ts";
export {
  DEVICE_NAMES,
  type DeviceChoice,
  type DeviceOptions,
  openDevice,
  printDeviceWarning,
  probeDevices,
} from "./select.ts";
export type { NpuDeviceOptions } from "./npu/device.ts";
export type { DevicePolicy as NpuDispatchPolicy } from "./npu/select.ts";
export { NPU_PRECISIONS, type NpuPrecision } from "./npu/policy.ts";
export { type NpuUsage, usageSince } from "./npu/statistics.ts";
export { operationsOf } from "./step.ts";
export type {
  Arithmetic,
  AttentionStep,
  BufferId,
  BufferSpec,
  Conv1dStep,
  GemmPart,
  GemmStep,
  LayerNormStep,
  Plan,
  Step,
  TransposeStep,
  WeightId,
} from "./step.ts";
