import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { compare } from "../../tensor/compare.ts";
import { multiplyIntegers, multiplyQuantized } from "../../tensor/integer_product.ts";
import { dequantizeIntegers, type Quantized, quantizeInt16, quantizeInt8 } from "../../tensor/integers.ts";
import type { Granularity } from "../../tensor/quantization.ts";
import { uniformValues } from "./_values.ts";

const [M, N, K] = [5, 7, 24];

/** Σ (p − z)·(q − y) over a run, in integers of any size. */
function exactSum(a: Quantized, b: Quantized, m: number, n: number, begin: number, length: number): bigint {
  const zero = (matrix: Quantized, row: number): bigint => {
    if (!matrix.zeroPoints) return 0n;
    const perRow = matrix.columns / matrix.blockColumns;
    const block = Math.floor(row / matrix.blockRows) * perRow + Math.floor(begin / matrix.blockColumns);
    return BigInt(matrix.zeroPoints[block]);
  };
  let sum = 0n;
  for (let k = begin; k < begin + length; k++) {
    sum += (BigInt(a.codes[m * K + k]) - zero(a, m)) * (BigInt(b.codes[n * K + k]) - zero(b, n));
  }
  return sum;
}

Deno.test("multiplyIntegers() equals exact integer arithmetic, symmetric and asymmetric, for every granularity", () => {
  const left = uniformValues(M * K, 1).map((x) => x + 0.7); // far from symmetric
  const right = uniformValues(N * K, 2).map((x) => 3 * x - 2);
  const granularities: Granularity[] = ["tensor", "row", { group: 8 }, { group: 4 }];
  for (const ga of granularities) {
    for (const gb of granularities) {
      for (const [sa, sb] of [[true, true], [true, false], [false, true], [false, false]]) {
        const a = quantizeInt8(left, [M, K], { granularity: ga, symmetric: sa });
        const b = quantizeInt8(right, [N, K], { granularity: gb, symmetric: sb });
        const { sums, runs } = multiplyIntegers(a, b);
        for (let m = 0; m < M; m++) {
          for (let n = 0; n < N; n++) {
            for (let g = 0; g < runs; g++) {
              assert.equal(
                BigInt(sums[(m * N + n) * runs + g]),
                exactSum(a, b, m, n, g * (K / runs), K / runs),
                `${JSON.stringify([ga, gb, sa, sb])}: ${m}, ${n}, run ${g}`,
              );
            }
          }
        }
      }
    }
  }
});

Deno.test("multiplyQuantized() is the product of the dequantized matrices, and close to the exact product", () => {
  const left = uniformValues(M * K, 3);
  const right = uniformValues(N * K, 4);
  const product = (a: Float32Array, b: Float32Array) =>
    Float32Array.from({ length: M * N }, (_, i) => {
      const [m, n] = [Math.floor(i / N), i % N];
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[m * K + k] * b[n * K + k];
      return sum;
    });
  for (const granularity of ["row", { group: 8 }] as Granularity[]) {
    for (const symmetric of [true, false]) {
      const a = quantizeInt8(left, [M, K], { granularity, symmetric });
      const b = quantizeInt8(right, [N, K], { granularity, symmetric });
      const got = multiplyQuantized(a, b);
      const dequantized = product(dequantizeIntegers(a), dequantizeIntegers(b));
      assert.ok(compare(got, dequantized).snr! > 120); // only F32's rounding of each value lies between
      const snr = compare(got, product(left, right)).snr!;
      assert.ok(snr > 38 && snr < 60, `${snr} dB`);
    }
  }
});

Deno.test("multiplyIntegers() refuses operands that do not fit", () => {
  const refused = (a: Quantized, b: Quantized, message: RegExp) =>
    assert.throws(
      () => multiplyIntegers(a, b),
      (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
    );
  const of = (rows: number, columns: number, granularity: Granularity) =>
    quantizeInt8(uniformValues(rows * columns, 5), [rows, columns], { granularity });
  refused(of(2, 24, "row"), of(2, 23, "row"), /got 24 and 23/);
  refused(of(2, 24, { group: 8 }), of(2, 24, { group: 12 }), /got blocks of 8 and 12/);
  refused(of(2, 24, "column"), of(2, 24, "tensor"), /scales must be shared along K/);
  const wide = (rows: number) => quantizeInt16(uniformValues(rows * 4, 6), [rows, 4]);
  refused(wide(1), wide(1), /stay below 2\^31/);
});
