import { dotProducts } from "../../kernels/portable/dot_products.ts";
import { assertNear, linear, matrix } from "./_naive.ts";
import { Random } from "./_random.ts";
import assert from "node:assert/strict";

Deno.test("dotProducts() equals the formula for all remainders of its tile", () => {
  const random = new Random(1);
  for (let M = 1; M <= 9; M++) {
    for (let N = 1; N <= 9; N++) {
      for (const K of [1, 2, 7, 33]) {
        const a = random.array(M * K), b = random.array(N * K), out = new Float32Array(M * N);
        dotProducts(
          { data: a, start: 0, stride: K },
          { data: b, start: 0, stride: K },
          { data: out, start: 0, stride: N },
          { M, N, K },
        );
        assertNear(out, linear(matrix(a, K), matrix(b, K)), 1e-6);
      }
    }
  }
});

Deno.test("dotProducts() follows starts and strides and writes nothing else", () => {
  const random = new Random(2);
  const M = 5, N = 6, K = 3;
  const a = random.array(100), b = random.array(100), out = new Float32Array(100).fill(7);
  dotProducts(
    { data: a, start: 4, stride: 2 }, // overlapping rows
    { data: b, start: 9, stride: 11 },
    { data: out, start: 3, stride: 10 },
    { M, N, K },
  );
  const rows = (data: Float32Array, start: number, stride: number, count: number) =>
    Array.from({ length: count }, (_, r) => [...data.subarray(start + r * stride, start + r * stride + K)]);
  const expected = linear(rows(a, 4, 2, M), rows(b, 9, 11, N));
  for (let m = 0; m < M; m++) assertNear(out.subarray(3 + 10 * m, 3 + 10 * m + N), expected[m], 1e-6);
  assert.equal(out.filter((x) => x === 7).length, 100 - M * N);
});

Deno.test("dotProducts() gives a row the same bits whatever rows are beside it", () => {
  const random = new Random(3);
  const M = 7, N = 5, K = 300;
  const a = random.array(M * K), b = random.array(N * K);
  const together = new Float32Array(M * N), alone = new Float32Array(M * N);
  const B = { data: b, start: 0, stride: K };
  dotProducts({ data: a, start: 0, stride: K }, B, { data: together, start: 0, stride: N }, { M, N, K });
  for (let m = 0; m < M; m++) {
    dotProducts({ data: a, start: m * K, stride: K }, B, { data: alone, start: m * N, stride: N }, {
      M: 1,
      N,
      K,
    });
  }
  assert.deepEqual(together, alone);
});
