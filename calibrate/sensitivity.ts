/**
 * What rounding one place does to the features while all others stay in F32.
 *
 * Errors of different places are independent, so their squares add up: the sum over a policy predicts its error to some
 * 10 %, and a search can go through thousands of policies without running them.
 *
 * @module
 */

import type { Rounding } from "../encoder/policy.ts";
import type { Clip } from "./clips.ts";
import { policyOf } from "./places.ts";
import type { Trials } from "./trials.ts";

/** Squares of relative errors, measured when first asked for. */
export class Sensitivity {
  readonly #trials: Trials;
  readonly #clips: readonly Clip[];
  readonly #known = new Map<string, readonly number[]>();
  readonly #onMeasured: () => void;

  /** @param onMeasured Told after each measurement. */
  constructor(trials: Trials, clips: readonly Clip[], onMeasured: () => void = () => {}) {
    this.#trials = trials;
    this.#clips = clips;
    this.#onMeasured = onMeasured;
  }

  /** Of each clip, if it was measured; those of F32 are 0. */
  known(place: number, rounding: Rounding): readonly number[] | undefined {
    return rounding === "f32" ? this.#clips.map(() => 0) : this.#known.get(`${place} ${rounding}`);
  }

  /** Of each clip. */
  async measure(place: number, rounding: Rounding): Promise<readonly number[]> {
    const known = this.known(place, rounding);
    if (known) return known;
    const roundings = this.#trials.everywhere("f32");
    roundings[place] = rounding;
    const errors = await this.#trials.errors(policyOf(roundings), this.#clips);
    const squares = errors.map((error) => error * error);
    this.#known.set(`${place} ${rounding}`, squares);
    this.#onMeasured();
    return squares;
  }
}
