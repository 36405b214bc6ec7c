import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { compare } from "../../tensor/compare.ts";

const near = (actual: number | null, expected: number): void =>
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= 1e-12 * Math.abs(expected),
    `${actual} ≈ ${expected}`,
  );

Deno.test("compare() reports each measure by its definition", () => {
  const report = compare([3, 0, 4], [3, 1, 2]);
  assert.equal(report.count, 3);
  near(report.mse, 5 / 3);
  near(report.mae, 1);
  assert.equal(report.max, 2);
  assert.equal(report.maxIndex, 2);
  near(report.relativeL2, Math.sqrt(5 / 14));
  near(report.snr, 10 * Math.log10(14 / 5));
  near(report.cosine, 17 / Math.sqrt(25 * 14));
});

Deno.test("compare() counts errors by their share of the root mean square", () => {
  const expected = new Float64Array(6).fill(2); // root mean square 2
  const errors = [0, 1e-6, 3e-6, 0.0015, 0.15, 100];
  const report = compare(expected.map((x, i) => x + errors[i]), expected);
  assert.deepEqual(report.histogram.bounds, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]);
  assert.deepEqual(report.histogram.counts, [2, 1, 0, 1, 0, 1, 0, 0, 1]);
});

Deno.test("compare() leaves out pairs with NaN or infinity, and says how many", () => {
  const report = compare([NaN, 1, Infinity, 2, Infinity], [1, 1, Infinity, -Infinity, 3]);
  assert.equal(report.nonFinite, 4);
  assert.equal(report.mse, 0);
  assert.equal(report.histogram.counts[0], 1);
});

Deno.test("compare() is safe in JSON where figures do not exist", () => {
  for (const [actual, expected] of [[[], []], [[0, 0], [0, 0]], [[1], [0]], [[NaN], [1]], [[1, 2], [1, 2]]]) {
    const report = compare(actual, expected);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  }
  const equal = compare([1, 2], [1, 2]);
  assert.deepEqual([equal.relativeL2, equal.snr, equal.max], [0, null, 0]);
  assert.equal(compare([1], [0]).relativeL2, null);
  assert.equal(compare([1], [0]).histogram.counts.at(-1), 1);
});

Deno.test("compare() refuses tensors of different lengths", () => {
  assert.throws(
    () => compare([1], [1, 2]),
    (error) => error instanceof SottoError && error.code === "E_OPTION",
  );
});
