/**
 * Audio samples in, log-mel spectrograms out.
 *
 * @module
 */

export * from "./constants.ts";
export type { MelFilters } from "../kernels/device.ts";
export { melFilters } from "./filterbank.ts";
export { type LogMel, logMel, type LogMelOptions, padOrTrim, padOrTrimMel } from "./log_mel.ts";
export { MelWindows, type MelWindowsOptions, type SampleSource, type SampleStream } from "./windows.ts";
