/**
 * Interprets an encoder plan, step by step.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { LoadedPlan, RunOptions } from "../device.ts";
import type { Plan, Step, WeightId } from "../step.ts";
import { selfAttention } from "./attention.ts";
import { conv1d, packConvWeight } from "./conv1d.ts";
import { gemm } from "./gemm.ts";
import { layerNorm } from "./layernorm.ts";
import { Pace } from "./pace.ts";
import { transpose } from "./transpose.ts";
import { Turns } from "./turns.ts";
import { loadWeight } from "./weights.ts";

type F32 = Float32Array<ArrayBuffer>;

/** A plan whose weights and buffers lie in JavaScript's memory. */
export class PortablePlan implements LoadedPlan {
  readonly arithmetic = "f32 values, f64 sums";
  readonly #plan: Plan;
  /** By {@linkcode WeightId}; those of convolutions are packed. Emptied by disposal. */
  #weights: F32[];
  /** By buffer id; made at the first run, kept for the next. */
  #buffers: F32[] = [];
  readonly #turns = new Turns("the plan");

  private constructor(plan: Plan, weights: F32[]) {
    this.#plan = plan;
    this.#weights = weights;
  }

  /** Reads and checks the weights; see `Device.loadPlan`. */
  static async load(plan: Plan, store: WeightStore): Promise<PortablePlan> {
    for (const step of plan.steps) {
      if ("arithmetic" in step && step.arithmetic !== "f32") {
        throw new SottoError(
          "E_OPTION",
          `Cannot run ${step.op} in ${step.arithmetic}: the portable device computes in f32`,
          {
            hint: "Ask for precision f32, or for another device.",
          },
        );
      }
    }
    const weights: F32[] = [];
    for (const weight of plan.weights) weights.push(await loadWeight(store, weight));
    for (const step of plan.steps) {
      if (step.op !== "conv1d") continue;
      weights[step.weight] = packConvWeight(weights[step.weight], step.channelsOut, step.channelsIn);
    }
    return new PortablePlan(plan, weights);
  }

  /** Runs the plan once; see `LoadedPlan.run`. */
  run(input: F32, options: RunOptions = {}): Promise<F32> {
    return this.#turns.queue(async () => {
      const { buffers, steps, input: inputId, output: outputId } = this.#plan;
      const size = buffers[inputId].rows * buffers[inputId].columns;
      if (input.length !== size) {
        throw new SottoError(
          "E_OPTION",
          `Cannot run the plan: need ${size} input values, got ${input.length}`,
        );
      }
      const pace = new Pace(options.signal);
      if (this.#buffers.length === 0) {
        this.#buffers = buffers.map(({ rows, columns }) => new Float32Array(rows * columns));
      }
      this.#buffers[inputId].set(input);
      for (const step of steps) {
        await this.#runStep(step, pace);
        if (pace.due) await pace.pause();
      }
      return this.#buffers[outputId].slice();
    });
  }

  #runStep(step: Step, pace: Pace): void | Promise<void> {
    const buffers = this.#buffers;
    const input = buffers[step.input];
    const out = buffers[step.output];
    const weight = (id: WeightId): F32 => this.#weights[id];
    const optional = (id: WeightId | null): F32 | null => id === null ? null : this.#weights[id];
    switch (step.op) {
      case "transpose":
        return transpose(input, out, step);
      case "layernorm":
        return layerNorm({ ...step, input, out, weight: weight(step.weight), bias: weight(step.bias) });
      case "conv1d":
        return conv1d(
          {
            ...step,
            input,
            out,
            weight: weight(step.weight),
            bias: weight(step.bias),
            addend: optional(step.addend),
          },
          pace,
        );
      case "attention":
        return selfAttention({ ...step, input, out }, pace);
      case "gemm":
        return this.#runGemm(step, pace);
    }
  }

  /** The parts of a product fill columns of the output side by side. */
  async #runGemm(step: Extract<Step, { op: "gemm" }>, pace: Pace): Promise<void> {
    let column = 0;
    for (const part of step.parts) {
      await gemm({
        input: { data: this.#buffers[step.input], start: 0, stride: step.K },
        weight: this.#weights[part.weight],
        bias: part.bias === null ? null : this.#weights[part.bias],
        out: { data: this.#buffers[step.output], start: column, stride: step.N },
        residual: step.residual === null ? null : this.#buffers[step.residual],
        activation: step.activation,
        M: step.M,
        N: part.N,
        K: step.K,
      }, pace);
      column += part.N;
    }
  }

  /** Lets the weights go. */
  [Symbol.dispose](): void {
    this.#turns.dispose();
    this.#weights = [];
    this.#buffers = [];
  }
}
