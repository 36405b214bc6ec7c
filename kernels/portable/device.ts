/**
 * The device that needs nothing but Deno: every operation in TypeScript, on one thread.
 *
 * @module
 */

import type { DecoderDimensions } from "../../model/dimensions.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { Device, LoadedDecoder, LoadedPlan, MelFilters } from "../device.ts";
import type { Plan } from "../step.ts";
import { logMelPower } from "./log_mel_power.ts";
import { Pace } from "./pace.ts";
import { PortablePlan } from "./plan.ts";
import { PortableDecoder } from "./text_decoder.ts";
import { Turns } from "./turns.ts";

/** Opens the portable device, which is usable everywhere. */
export function openPortableDevice(): Device {
  return new PortableDevice();
}

class PortableDevice implements Device {
  readonly name = "portable";
  readonly description = "TypeScript, 1 thread";
  readonly #turns = new Turns("the portable device");

  async logMelPower(
    samples: Float32Array<ArrayBuffer>,
    frames: number,
    filters: MelFilters,
  ): Promise<Float32Array<ArrayBuffer>> {
    this.#turns.refuseDisposed();
    return await logMelPower(samples, frames, filters, new Pace());
  }

  async loadPlan(plan: Plan, weights: WeightStore): Promise<LoadedPlan> {
    this.#turns.refuseDisposed();
    return await PortablePlan.load(plan, weights);
  }

  async loadDecoder(dims: DecoderDimensions, weights: WeightStore): Promise<LoadedDecoder> {
    this.#turns.refuseDisposed();
    return await PortableDecoder.load(dims, weights);
  }

  [Symbol.dispose](): void {
    this.#turns.dispose();
  }
}
