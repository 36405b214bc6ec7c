/**
 * What this machine can do at most. Other work only ever lowers a measurement, so it is repeated throughout a run, and
 * the highest counts.
 *
 * @module
 */

import type { CpuDevice } from "../kernels/cpu/device.ts";

/** Seconds that each measurement takes. */
const SECONDS = 0.15;

/** The highest rates measured so far. */
export class Peaks {
  readonly #device: CpuDevice;
  #f32 = 0;
  #read = 0;

  /** @param device Measured on its threads and kernels. */
  constructor(device: CpuDevice) {
    this.#device = device;
  }

  /** Floating-point operations a second, by multiply-adds on registers. */
  get f32(): number {
    return this.#f32;
  }

  /** Bytes a second, read from memory. */
  get read(): number {
    return this.#read;
  }

  /** Measures both once more. */
  async sample(): Promise<void> {
    this.#f32 = Math.max(this.#f32, await this.#device.measure("f32_peak", SECONDS));
    this.#read = Math.max(this.#read, await this.#device.measure("read_bandwidth", SECONDS));
  }
}
