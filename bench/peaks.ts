/**
 * What this machine can do at most. Other work only ever lowers a measurement, so it is repeated throughout a run, and
 * the highest counts.
 *
 * @module
 */

import type { CpuDevice } from "../kernels/cpu/device.ts";
import type { Arithmetic } from "../kernels/step.ts";

/** Seconds that each measurement takes. */
const SECONDS = 0.15;

/** The highest rates measured so far. */
export class Peaks {
  readonly #device: CpuDevice;
  readonly #rates = new Map<Arithmetic, number>();
  #read = 0;

  /** @param device Measured on its threads and kernels. */
  constructor(device: CpuDevice) {
    this.#device = device;
  }

  /** Floating-point operations a second, by multiply-adds on registers. */
  get f32(): number {
    return this.of("f32");
  }

  /** Operations a second in some arithmetic; 0 for one that was not measured. */
  of(arithmetic: Arithmetic): number {
    return this.#rates.get(arithmetic) ?? 0;
  }

  /** Bytes a second, read from memory. */
  get read(): number {
    return this.#read;
  }

  /** Measures all once more. */
  async sample(): Promise<void> {
    for (const arithmetic of Object.keys(this.#device.rates) as Arithmetic[]) {
      const rate = await this.#device.measure(`${arithmetic}_peak` as "f32_peak", SECONDS / 2);
      this.#rates.set(arithmetic, Math.max(this.of(arithmetic), rate));
    }
    await this.sampleRead();
  }

  /** What can be read at this moment, bytes a second: where machines are virtual it may halve from one second to the next. */
  async sampleRead(): Promise<number> {
    const rate = await this.#device.measure("read_bandwidth", SECONDS);
    this.#read = Math.max(this.#read, rate);
    return rate;
  }
}
