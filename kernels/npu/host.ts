/**
 * The host beside an NPU: the CPU device, with its passes over rows and its conversions.
 *
 * @module
 */

import type { RowsWorker } from "../../ffi/rows_pass.ts";
import type { Formats } from "../../tensor/formats.ts";
import { CpuDevice } from "../cpu/device.ts";
import type { Device } from "../device.ts";
import { formatsOf } from "../formats.ts";
import { PORTABLE_ROWS } from "./portable_rows.ts";

/** A CPU device and what it does for an NPU. */
export interface NpuHost {
  /** Runs what the NPU does not. */
  readonly device: Device;
  /** Passes over rows. */
  readonly rows: RowsWorker;
  /** Conversions. */
  readonly formats: Formats;
}

/** The host that a CPU device is. */
export function hostOf(device: Device): NpuHost {
  const rows = device instanceof CpuDevice ? device.rows : PORTABLE_ROWS;
  return { device, rows, formats: formatsOf(device) };
}
