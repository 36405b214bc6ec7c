/**
 * Writes a plan as the words that libsotto_cpu takes; `sotto_cpu_plan_create` in its header says what each means.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { PlanProgram } from "../../ffi/cpu_context.ts";
import { SOTTO_STEP_WORDS, SottoArithmetic, SottoOp } from "../../ffi/cpu_symbols.ts";
import type { Arithmetic, GemmStep, Plan, Step } from "../step.ts";
import { layOutBuffers } from "./plan_buffers.ts";

/** "None" where an index is expected. */
const NONE = -1;

const ACTIVATIONS = { none: 0, gelu: 1 } as const;

const ARITHMETIC: Partial<Readonly<Record<Arithmetic, number>>> = {
  f32: SottoArithmetic.SOTTO_ARITHMETIC_F32,
  bf16: SottoArithmetic.SOTTO_ARITHMETIC_BF16,
  f16: SottoArithmetic.SOTTO_ARITHMETIC_F16,
  i8: SottoArithmetic.SOTTO_ARITHMETIC_I8,
};

function arithmeticWord(arithmetic: Arithmetic): number {
  const word = ARITHMETIC[arithmetic];
  if (word !== undefined) return word;
  const known = Object.keys(ARITHMETIC).join(", ");
  throw new SottoError(
    "E_DEVICE",
    `Cannot run the plan on the CPU library: it computes in ${known}, got ${arithmetic}`,
  );
}

/** Where a product's arithmetic stands, behind as many parts as there may be. */
const GEMM_ARITHMETIC = 17;

function withArithmetic(words: number[], { arithmetic, columnScales }: GemmStep): number[] {
  return [
    ...words,
    ...new Array<number>(GEMM_ARITHMETIC - words.length).fill(0),
    arithmeticWord(arithmetic),
    ...(columnScales === undefined ? [] : [1 + columnScales]),
  ];
}

/** The words of one step, without the zeros at the end. */
export function stepWords(step: Step): number[] {
  switch (step.op) {
    case "transpose":
      return [SottoOp.SOTTO_OP_TRANSPOSE, step.input, step.output, step.rows, step.columns];
    case "conv1d":
      return [
        SottoOp.SOTTO_OP_CONV1D,
        step.input,
        step.output,
        step.weight,
        step.bias,
        step.addend ?? NONE,
        step.framesIn,
        step.framesOut,
        step.channelsIn,
        step.channelsOut,
        step.stride,
        arithmeticWord(step.arithmetic),
      ];
    case "layernorm":
      return [
        SottoOp.SOTTO_OP_LAYERNORM,
        step.input,
        step.output,
        step.weight,
        step.bias,
        step.rows,
        step.columns,
      ];
    case "gemm":
      return withArithmetic([
        SottoOp.SOTTO_OP_GEMM,
        step.input,
        step.output,
        step.residual ?? NONE,
        step.M,
        step.K,
        ACTIVATIONS[step.activation],
        step.parts.length,
        ...step.parts.flatMap(({ weight, bias, N }) => [weight, bias ?? NONE, N]),
      ], step);
    case "attention":
      return [
        SottoOp.SOTTO_OP_ATTENTION,
        step.input,
        step.output,
        step.T,
        step.heads,
        step.headWidth,
        arithmeticWord(step.arithmetic),
      ];
  }
}

/**
 * The whole plan in words, its buffers placed in one arena.
 *
 * @throws {SottoError} E_DEVICE if a step asks for arithmetic that the library has no kernels for.
 */
export function programOf(plan: Plan): PlanProgram {
  const steps = new BigInt64Array(plan.steps.length * SOTTO_STEP_WORDS);
  plan.steps.forEach((step, index) => {
    steps.set(stepWords(step).map(BigInt), index * SOTTO_STEP_WORDS);
  });
  const { offsets, arena } = layOutBuffers(plan);
  const buffers = plan.buffers.flatMap(({ rows, columns }, id) => [offsets[id], rows, columns]);
  return { buffers: BigInt64Array.from(buffers, BigInt), steps, arena };
}
