import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { compare } from "../../tensor/compare.ts";
import {
  dequantizeIntegers,
  quantizeInt16,
  quantizeInt8,
  quantizeInt8With,
  type QuantizeOptions,
  scalesOf,
} from "../../tensor/integers.ts";
import { blockCount, type Granularity, scaleGrid } from "../../tensor/quantization.ts";
import { rangesOf } from "../../tensor/ranges.ts";
import { anyBits, uniformValues } from "./_values.ts";

const GRANULARITIES: readonly Granularity[] = ["tensor", "row", "column", { group: 4 }, { group: 12 }];

const refused = (run: () => unknown, message: RegExp): void =>
  assert.throws(
    run,
    (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
  );

Deno.test("quantizeInt8() errs by half a step at most, in every block", () => {
  const [rows, columns] = [5, 12];
  const values = uniformValues(rows * columns, 1).map((x, i) => x * 2 ** (i % 7) + (i % 3));
  for (const granularity of GRANULARITIES) {
    for (const symmetric of [true, false]) {
      const q = quantizeInt8(values, [rows, columns], { granularity, symmetric });
      const restored = dequantizeIntegers(q);
      const { perRow, total } = blockCount(q);
      assert.equal(q.scales.length, total);
      for (let i = 0; i < values.length; i++) {
        const [r, c] = [Math.floor(i / columns), i % columns];
        const block = Math.floor(r / q.blockRows) * perRow + Math.floor(c / q.blockColumns);
        // The rounded zero point can move the range by another half step.
        const most = q.scales[block] * (symmetric ? 0.5001 : 1.0001);
        assert.ok(Math.abs(restored[i] - values[i]) <= most, `${JSON.stringify(granularity)}, value ${i}`);
      }
    }
  }
});

Deno.test("quantizeInt8() rounds halves to even, and gives ±largest the codes ±127", () => {
  const q = quantizeInt8(Float32Array.of(127, -127, 0.5, 1.5, 2.5, -0.5, -1.5, 0), [1, 8]);
  assert.equal(q.scales[0], 1);
  assert.deepEqual([...q.codes], [127, -127, 0, 2, 2, 0, -2, 0]);
  assert.equal(q.zeroPoints, null);
});

Deno.test("an asymmetric range gives 0 a code of its own, and its ends the outermost codes", () => {
  for (const [low, high] of [[-1, 3], [2, 5], [-7, -2], [0, 255], [-3e38, 3e38], [-1e-40, 1e-40]]) {
    const q = quantizeInt8(Float32Array.of(low, high, 0), [1, 3], { symmetric: false });
    const [least, most, zero] = dequantizeIntegers(q);
    assert.equal(zero, 0, `${low} … ${high}`);
    assert.equal(q.codes[2], q.zeroPoints![0]);
    assert.ok(
      Math.abs(least - low) <= q.scales[0] && Math.abs(most - high) <= q.scales[0],
      `${low} … ${high}`,
    );
  }
});

Deno.test("NaN, infinities, zeros and subnormals have defined codes", () => {
  const values = Float32Array.of(NaN, Infinity, -Infinity, 1, -2, 0);
  const symmetric = quantizeInt8(values, [1, 6]);
  assert.equal(symmetric.scales[0], Math.fround(2 / 127));
  assert.deepEqual([...symmetric.codes], [0, 127, -127, 64, -127, 0]);
  const asymmetric = quantizeInt8(values, [1, 6], { symmetric: false });
  const [zero] = asymmetric.zeroPoints!;
  assert.deepEqual([...asymmetric.codes], [zero, 127, -128, 127, -128, zero]);
  for (
    const options of [{}, { symmetric: false }, { range: "mse" }, {
      range: { percentile: 99 },
    }] as QuantizeOptions[]
  ) {
    const zeros = quantizeInt8(new Float32Array(6), [2, 3], options);
    assert.equal(zeros.scales[0], 2 ** -126);
    assert.deepEqual([...dequantizeIntegers(zeros)], [0, 0, 0, 0, 0, 0], JSON.stringify(options));
    const nothing = quantizeInt8(Float32Array.of(NaN, Infinity), [1, 2], options);
    assert.ok(nothing.codes.every(Number.isInteger) && nothing.scales[0] === 2 ** -126);
    const any = quantizeInt8(anyBits(64, 3), [4, 16], { ...options, granularity: "row" });
    assert.ok(any.scales.every((scale) => scale > 0 && scale < Infinity));
  }
  assert.equal(quantizeInt8(Float32Array.of(2 ** -149), [1, 1]).scales[0], 2 ** -126);
});

Deno.test("INT8 keeps uniform values at 48 dB, INT16 at 96 dB", () => {
  const values = uniformValues(4096, 11);
  for (const granularity of ["tensor", "row", { group: 64 }] as Granularity[]) {
    for (const symmetric of [true, false]) {
      const options = { granularity, symmetric };
      const snr8 = compare(dequantizeIntegers(quantizeInt8(values, [8, 512], options)), values).snr!;
      const snr16 = compare(dequantizeIntegers(quantizeInt16(values, [8, 512], options)), values).snr!;
      // Steps of 1/127 and an error of step² / 12; narrower ranges of small groups gain a little.
      assert.ok(Math.abs(snr8 - 48.2) < 0.6, `${snr8} dB, ${JSON.stringify(options)}`);
      assert.ok(Math.abs(snr16 - 96.4) < 0.6, `${snr16} dB, ${JSON.stringify(options)}`);
    }
  }
});

Deno.test("rangesOf() by percentile clips outliers, by MSE errs less than by max", () => {
  const values = uniformValues(1000, 2).map((x, i) => i === 500 ? 40 : i === 501 ? -10 : x);
  const grid = scaleGrid(1, 1000, "tensor");
  const of = (method: Parameters<typeof rangesOf>[2], symmetric: boolean) => {
    const { low, high } = rangesOf(values, grid, method, { symmetric, top: 127 });
    return [low[0], high[0]];
  };
  assert.deepEqual(of("max", false), [-10, 40]);
  const magnitudes = values.map(Math.abs).sort();
  assert.deepEqual(of({ percentile: 99 }, true), [-magnitudes[989], magnitudes[989]]);
  const sorted = values.slice().sort();
  assert.deepEqual(of({ percentile: 99 }, false), [sorted[10], sorted[989]]);
  assert.deepEqual(of({ percentile: 100 }, false), [-10, 40]);
  const spread = uniformValues(4096, 4).map((x) => x ** 7);
  const error = (range: QuantizeOptions["range"], symmetric: boolean) =>
    compare(dequantizeIntegers(quantizeInt8(spread, [1, 4096], { range, symmetric })), spread).mse!;
  for (const symmetric of [true, false]) assert.ok(error("mse", symmetric) <= error("max", symmetric) * 1.01);
  const outlier = uniformValues(4096, 4).map((x, i) => i === 0 ? 3 : x);
  const snr = (range: QuantizeOptions["range"]) =>
    compare(dequantizeIntegers(quantizeInt8(outlier, [1, 4096], { range })), outlier).mse!;
  assert.ok(snr("mse") < snr("max"), `${snr("mse")} < ${snr("max")}`);
});

Deno.test("quantizeInt8With() takes calibrated scales, and refuses those it cannot use", () => {
  const grid = scaleGrid(2, 3, "row");
  const scales = scalesOf({ low: Float32Array.of(-1, -2), high: Float32Array.of(2, 6) }, false);
  assert.deepEqual([...scales.scales], [Math.fround(3 / 255), Math.fround(8 / 255)]);
  assert.deepEqual([...scales.zeroPoints!], [-43, -64]);
  const q = quantizeInt8With(Float32Array.of(2, 0, -9, 6, -2, 9), grid, scales);
  assert.deepEqual([...q.codes], [127, -43, -128, 127, -128, 127]);
  const values = new Float32Array(6);
  refused(
    () => quantizeInt8With(values, grid, { scales: Float32Array.of(1), zeroPoints: null }),
    /scales must have 2/,
  );
  for (const bad of [0, NaN, -1, Infinity, 2 ** -127]) {
    refused(
      () => quantizeInt8With(values, grid, { scales: Float32Array.of(1, bad), zeroPoints: null }),
      /scales must be in 2\^-126/,
    );
  }
  refused(
    () =>
      quantizeInt8With(values, grid, { scales: Float32Array.of(1, 1), zeroPoints: Int32Array.of(0, 128) }),
    /zero points must be -128 to 127, got 128/,
  );
});

Deno.test("quantizeInt8() refuses sizes that do not fit and groups that do not divide the row", () => {
  const values = new Float32Array(500);
  refused(
    () => quantizeInt8(values, [1, 500], { granularity: { group: 64 } }),
    /groups of 64: .* row's 500 values/,
  );
  refused(() => quantizeInt8(values, [1, 500], { granularity: { group: 0 } }), /group must be a positive/);
  refused(() => quantizeInt8(values, [2, 500]), /values must have 1000 elements, got 500/);
  refused(() => quantizeInt8(values, [-1, -500]), /rows must be a positive whole number, got -1/);
  refused(
    () => quantizeInt8(values, [1, 500], { range: { percentile: 49 } }),
    /percentile must be 50 to 100, got 49/,
  );
  refused(() => quantizeInt8(values, [1, 500], { range: { percentile: NaN } }), /got NaN/);
});
