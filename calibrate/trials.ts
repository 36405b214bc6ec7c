/**
 * Tries policies out: the encoder as it really runs on this device, against itself in F32.
 *
 * @module
 */

import { type Migration, withMigrations } from "../encoder/migration.ts";
import { planEncoder } from "../encoder/plan.ts";
import type { Rounding, RoundingPolicy } from "../encoder/policy.ts";
import { planArithmetic } from "../encoder/precision.ts";
import { relativeError } from "../bench/relative_error.ts";
import { timeInTurns } from "../bench/timing.ts";
import type { CpuDevice, CpuLoadedPlan } from "../kernels/cpu/device.ts";
import type { Plan } from "../kernels/step.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import type { WeightStore } from "../model/weights.ts";
import type { Clip } from "./clips.ts";
import { placesOf, policyOf } from "./places.ts";

/** Runs of each choice when choices are compared. */
const TURNS = 10;

/** An encoder, the device it runs on, and what it is judged on. */
export class Trials {
  readonly device: CpuDevice;
  readonly dims: EncoderDimensions;
  readonly weights: WeightStore;
  readonly #exact = new Map<Clip, Float32Array<ArrayBuffer>>();

  /** @param device Disposed of by the caller, later. */
  constructor(device: CpuDevice, dims: EncoderDimensions, weights: WeightStore) {
    this.device = device;
    this.dims = dims;
    this.weights = weights;
  }

  /** How many places have a rounding of their own. */
  get places(): number {
    return placesOf(this.dims.n_audio_layer).length;
  }

  /** The same rounding everywhere. */
  everywhere(rounding: Rounding): Rounding[] {
    return new Array<Rounding>(this.places).fill(rounding);
  }

  /**
   * Relative L2 error of the features of each clip, against the same encoder in F32.
   *
   * @param migration Scales that are moved into weights before they are rounded.
   */
  async errors(
    policy: RoundingPolicy,
    clips: readonly Clip[],
    migration: readonly Migration[] = [],
  ): Promise<number[]> {
    await this.#learnExact(clips);
    const weights = await withMigrations(this.weights, this.dims, migration);
    using plan = await this.device.loadPlan(this.#plan(policy, migration), weights);
    const errors: number[] = [];
    for (const clip of clips) errors.push(relativeError(await plan.run(clip.logMel), this.#exact.get(clip)!));
    return errors;
  }

  /**
   * Seconds that each place takes with one rounding everywhere: the least of `rounds` runs.
   */
  async seconds(rounding: Rounding, clip: Clip, rounds: number): Promise<Float64Array<ArrayBuffer>> {
    const plan = this.#plan(policyOf(this.everywhere(rounding)), []);
    using loaded = await this.device.loadPlan(plan, this.weights);
    const least = new Float64Array(plan.steps.length).fill(Infinity);
    for (let round = 0; round < rounds; round++) {
      const { seconds } = await loaded.profile(clip.logMel);
      seconds.forEach((value, i) => least[i] = Math.min(least[i], value));
    }
    const places = new Float64Array(this.places);
    let place = 0;
    plan.steps.forEach((step, i) => {
      if ("arithmetic" in step) places[place++] = least[i];
    });
    return places;
  }

  /** What a policy's products are computed in here, in a few words. */
  async arithmetic(policy: RoundingPolicy): Promise<string> {
    using plan = await this.device.loadPlan(this.#plan(policy, []), this.weights);
    return plan.arithmetic;
  }

  /** Seconds of the fastest run of each choice, run in turns so that other work disturbs all alike. */
  async timeInTurns(
    clip: Clip,
    choices: readonly (readonly [RoundingPolicy, readonly Migration[]])[],
  ): Promise<number[]> {
    using opened = new DisposableStack();
    const plans: CpuLoadedPlan[] = [];
    for (const [policy, migrations] of choices) {
      const weights = await withMigrations(this.weights, this.dims, migrations);
      plans.push(opened.use(await this.device.loadPlan(this.#plan(policy, migrations), weights)));
    }
    const times = await timeInTurns(plans.map((plan) => () => plan.run(clip.logMel)), TURNS);
    return times.map(({ min }) => min);
  }

  #plan(policy: RoundingPolicy, migration: readonly Migration[]): Plan {
    return planEncoder(this.dims, planArithmetic(policy, this.device), migration);
  }

  async #learnExact(clips: readonly Clip[]): Promise<void> {
    const unknown = clips.filter((clip) => !this.#exact.has(clip));
    if (unknown.length === 0) return;
    using plan = await this.device.loadPlan(planEncoder(this.dims), this.weights);
    for (const clip of unknown) this.#exact.set(clip, await plan.run(clip.logMel));
  }
}
