import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { planEncoder } from "../../encoder/plan.ts";
import { SOTTO_STEP_WORDS, SottoOp } from "../../ffi/cpu_symbols.ts";
import { programOf, stepWords } from "../../kernels/cpu/program.ts";
import type { Arithmetic, Plan, Step } from "../../kernels/step.ts";

Deno.test("stepWords() writes every operation in the header's order", () => {
  const io = { input: 3, output: 4 };
  const cases: [Step, number[]][] = [
    [{ op: "transpose", ...io, rows: 80, columns: 3000 }, [SottoOp.SOTTO_OP_TRANSPOSE, 3, 4, 80, 3000]],
    [
      {
        op: "conv1d",
        ...io,
        weight: 5,
        bias: 6,
        addend: null,
        framesIn: 10,
        framesOut: 5,
        channelsIn: 7,
        channelsOut: 8,
        stride: 2,
        arithmetic: "bf16",
      },
      [SottoOp.SOTTO_OP_CONV1D, 3, 4, 5, 6, -1, 10, 5, 7, 8, 2, 1],
    ],
    [
      { op: "layernorm", ...io, weight: 5, bias: 6, rows: 9, columns: 10 },
      [SottoOp.SOTTO_OP_LAYERNORM, 3, 4, 5, 6, 9, 10],
    ],
    [
      {
        op: "gemm",
        ...io,
        parts: [{ weight: 0, bias: null, N: 2 }, { weight: 1, bias: 2, N: 3 }],
        M: 11,
        K: 12,
        N: 5,
        activation: "gelu",
        residual: 0,
        arithmetic: "i8",
      },
      [SottoOp.SOTTO_OP_GEMM, 3, 4, 0, 11, 12, 1, 2, 0, -1, 2, 1, 2, 3, 0, 0, 0, 3],
    ],
    [
      { op: "attention", ...io, T: 20, heads: 2, headWidth: 64, arithmetic: "f32" },
      [SottoOp.SOTTO_OP_ATTENTION, 3, 4, 20, 2, 64, 0],
    ],
  ];
  for (const [step, words] of cases) deepStrictEqual(stepWords(step), words, step.op);
});

Deno.test("programOf() pads each step with zeros and lists each buffer's offset and shape", () => {
  const dims = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 128, n_audio_head: 2, n_audio_layer: 4 };
  const plan = planEncoder(dims);
  const { buffers, steps, arena } = programOf(plan);
  strictEqual(buffers.length, 3 * plan.buffers.length);
  strictEqual(steps.length, SOTTO_STEP_WORDS * plan.steps.length);
  plan.steps.forEach((step, index) => {
    const words = [...steps.subarray(index * SOTTO_STEP_WORDS, (index + 1) * SOTTO_STEP_WORDS)].map(Number);
    const expected = stepWords(step);
    deepStrictEqual(words, [...expected, ...Array(SOTTO_STEP_WORDS - expected.length).fill(0)]);
  });
  plan.buffers.forEach(({ rows, columns }, id) => {
    deepStrictEqual([...buffers.subarray(3 * id + 1, 3 * id + 3)], [BigInt(rows), BigInt(columns)]);
    strictEqual(Number(buffers[3 * id]) + rows * columns <= arena, true);
  });
});

Deno.test("programOf() refuses arithmetic that the library has no kernels for", () => {
  const step: Step = {
    op: "attention",
    input: 0,
    output: 1,
    T: 1,
    heads: 1,
    headWidth: 1,
    arithmetic: "i4" as Arithmetic,
  };
  const buffers = [{ name: "qkv", rows: 1, columns: 3 }, { name: "out", rows: 1, columns: 1 }];
  const plan: Plan = { buffers, weights: [], steps: [step], input: 0, output: 1 };
  throws(() => programOf(plan), { code: "E_DEVICE", message: /computes in f32, bf16, f16, i8, got i4/ });
});
