import { selfAttention, softmax } from "../../kernels/portable/attention.ts";
import { conv1d, packConvWeight } from "../../kernels/portable/conv1d.ts";
import { erf, gelu } from "../../kernels/portable/gelu.ts";
import { gemm } from "../../kernels/portable/gemm.ts";
import { layerNorm } from "../../kernels/portable/layernorm.ts";
import { Pace } from "../../kernels/portable/pace.ts";
import { transpose } from "../../kernels/portable/transpose.ts";
import * as naive from "./_naive.ts";
import { assertNear, matrix } from "./_naive.ts";
import { Random } from "./_random.ts";
import assert from "node:assert/strict";

Deno.test("erf() is within 2e-9 of its series between -7 and 7, odd, and NaN for NaN", () => {
  for (let i = -7000; i <= 7000; i++) {
    const x = i / 1000 + 0.00037;
    const off = Math.abs(erf(x) - naive.erf(x));
    assert.ok(off <= 2e-9, `erf(${x}) is ${off} off`);
  }
  assert.equal(erf(0), 0);
  assert.equal(erf(1e30), 1);
  assert.equal(erf(-Infinity), -1);
  assert.ok(Number.isNaN(erf(NaN)));
  assert.ok(Math.abs(erf(1) - 0.8427007929497149) < 2e-9, "the tabulated erf(1)");
});

Deno.test("gelu() is exact GELU, not the tanh approximation", () => {
  for (const x of [-8, -3, -1, -0.1, 0, 0.5, 2, 5, 40]) {
    assert.ok(Math.abs(gelu(x) - naive.gelu(x)) <= 1e-8 * (1 + Math.abs(x)));
  }
  assert.ok(Math.abs(gelu(2) - 1.9544997361036416) < 1e-8, "2·Φ(2)");
});

Deno.test("transpose() swaps rows and columns at sizes around its block", () => {
  const random = new Random(4);
  for (const [rows, columns] of [[1, 1], [1, 40], [16, 16], [17, 33], [80, 15]]) {
    const input = random.array(rows * columns), out = new Float32Array(rows * columns);
    transpose(input, out, { rows, columns });
    const expected = matrix(input, columns);
    for (let c = 0; c < columns; c++) {
      for (let r = 0; r < rows; r++) assert.equal(out[c * rows + r], expected[r][c]);
    }
  }
});

Deno.test("layerNorm() equals the formula, also far from zero and in place", () => {
  const random = new Random(5);
  for (const columns of [1, 2, 7, 64, 129]) {
    const rows = 3;
    const input = random.array(rows * columns).map((x) => x + 1000);
    const weight = random.array(columns), bias = random.array(columns);
    const expected = naive.layerNorm(matrix(input, columns), weight, bias);
    layerNorm({ input, out: input, weight, bias, rows, columns });
    assertNear(input, expected, 1e-5);
  }
});

Deno.test("gemm() adds the bias, applies GELU, adds the residual, in this order", async () => {
  const random = new Random(6);
  for (const [M, N, K] of [[1, 1, 1], [3, 5, 7], [65, 9, 4], [67, 130, 33], [2, 70, 40000]]) {
    const input = random.array(M * K), weight = random.array(N * K, 1 / Math.sqrt(K));
    const bias = random.array(N), residual = random.array(M * N), out = new Float32Array(M * N);
    const shape = {
      M,
      N,
      K,
      weight,
      input: { data: input, start: 0, stride: K },
      out: { data: out, start: 0, stride: N },
    };
    const product = naive.linear(matrix(input, K), matrix(weight, K), bias);
    await gemm({ ...shape, bias, residual: null, activation: "none" }, new Pace());
    assertNear(out, product, 1e-6);
    await gemm({ ...shape, bias: null, residual: null, activation: "none" }, new Pace());
    assertNear(out, naive.linear(matrix(input, K), matrix(weight, K)), 1e-6);
    await gemm({ ...shape, bias, residual, activation: "gelu" }, new Pace());
    assertNear(out, naive.add(product.map((row) => row.map(naive.gelu)), matrix(residual, N)), 1e-6);
  }
});

Deno.test("gemm() may write over its residual and into columns of a wider output", async () => {
  const random = new Random(7);
  const M = 70, N = 5, K = 6, wide = 11, from = 3;
  const input = random.array(M * K), weight = random.array(N * K), out = random.array(M * wide);
  const before = matrix(out, wide);
  const product = naive.linear(matrix(input, K), matrix(weight, K));
  await gemm({
    input: { data: input, start: 0, stride: K },
    weight,
    bias: null,
    out: { data: out, start: from, stride: wide },
    residual: out,
    activation: "none",
    M,
    N,
    K,
  }, new Pace());
  const expected = before.map((row, m) => row.map((x, c) => x + (product[m][c - from] ?? 0)));
  assertNear(out, expected, 1e-6);
});

Deno.test("conv1d() equals the formula for both strides, odd and even lengths", async () => {
  const random = new Random(8);
  for (const stride of [1, 2] as const) {
    for (const framesIn of [1, 2, 7, 8]) {
      const framesOut = Math.ceil(framesIn / stride), channelsIn = 3, channelsOut = 5;
      const input = random.array(framesIn * channelsIn), weight = random.array(channelsOut * channelsIn * 3);
      const bias = random.array(channelsOut), addend = random.array(framesOut * channelsOut);
      const out = new Float32Array(framesOut * channelsOut);
      const shape = { framesIn, framesOut, channelsIn, channelsOut, stride };
      const packed = packConvWeight(weight, channelsOut, channelsIn);
      await conv1d({ ...shape, input, out, weight: packed, bias, addend }, new Pace());
      const expected = Array.from(
        { length: framesOut },
        (_, t) =>
          Array.from({ length: channelsOut }, (_, n) => {
            let sum = bias[n];
            for (let j = 0; j < 3; j++) {
              for (let k = 0; k < channelsIn; k++) {
                const x = input[(t * stride + j - 1) * channelsIn + k];
                const inside = t * stride + j - 1 >= 0 && t * stride + j - 1 < framesIn;
                if (inside) sum += x * weight[(n * channelsIn + k) * 3 + j];
              }
            }
            return naive.gelu(sum) + addend[t * channelsOut + n];
          }),
      );
      assertNear(out, expected, 1e-6);
    }
  }
});

Deno.test("selfAttention() equals the formula over odd sizes", async () => {
  const random = new Random(9);
  for (const [T, heads, headWidth] of [[1, 1, 1], [2, 3, 5], [37, 2, 8], [130, 1, 3]]) {
    const C = heads * headWidth;
    const input = random.array(T * 3 * C, 3), out = new Float32Array(T * C);
    await selfAttention({ input, out, T, heads, headWidth }, new Pace());
    const rows = matrix(input, 3 * C);
    const [q, k, v] = [0, 1, 2].map((part) => rows.map((row) => row.slice(part * C, (part + 1) * C)));
    assertNear(out, naive.attention(q, k, v, heads), 1e-5);
  }
});

Deno.test("softmax() neither overflows nor loses the sum, and keeps NaN", () => {
  const data = Float32Array.of(9, 1e4, 1e4, -1e30, 9);
  softmax(data, 1, 3, 1);
  assert.deepEqual([...data], [9, 0.5, 0.5, 0, 9]);
  const bad = Float32Array.of(1, NaN, 2);
  softmax(bad, 0, 3, 1);
  assert.ok(bad.every(Number.isNaN));
});
