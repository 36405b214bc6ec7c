import assert from "node:assert/strict";
import { type BlockDtype, dequantize } from "../../tensor/dequantize.ts";
import { toFloat32 } from "../../tensor/to_float32.ts";
import { quantize } from "../convert/quantize.ts";
import { seededRandom } from "../model/support.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const DTYPES: readonly BlockDtype[] = ["Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1"];

Deno.test("dequantize() gives what ggml's own Python package gives for random blocks", async () => {
  const path = new URL("tests/data/model/ggml_blocks.json", PROJECT_ROOT);
  const golden: Record<string, { bytes: string; float32: string }> = JSON.parse(
    await Deno.readTextFile(path),
  );
  for (const dtype of DTYPES) {
    const values = dequantize(dtype, Uint8Array.fromHex(golden[dtype].bytes));
    const expected = new Float32Array(Uint8Array.fromHex(golden[dtype].float32).buffer);
    assert.equal(values.length, 6 * 32);
    for (let i = 0; i < values.length; i++) {
      // Where there is a minimum, the package rounds the product and the sum, we the sum alone.
      const tolerance = dtype.endsWith("_1") ? 2 ** -23 * Math.abs(expected[i]) + 2 ** -23 : 0;
      assert.ok(
        Math.abs(values[i] - expected[i]) <= tolerance,
        `${dtype} ${i}: ${values[i]}, expected ${expected[i]}`,
      );
    }
  }
});

Deno.test("dequantize() of quantize() stays within each type's signal-to-noise ratio, from both sides", () => {
  const random = seededRandom(7);
  // Sums of uniforms are near normal, as weights are.
  const values = Float32Array.from({ length: 32 * 400 }, () => random() + random() + random() + random() - 2);
  const decibels: Record<BlockDtype, readonly [least: number, most: number]> = {
    Q8_0: [41, 49],
    Q5_0: [24, 31],
    Q5_1: [25, 32],
    Q4_0: [18, 25],
    Q4_1: [19, 26],
  };
  for (const dtype of DTYPES) {
    const restored = dequantize(dtype, quantize(dtype, values));
    let signal = 0, noise = 0;
    for (let i = 0; i < values.length; i++) {
      signal += values[i] ** 2;
      noise += (values[i] - restored[i]) ** 2;
    }
    const ratio = 10 * Math.log10(signal / noise);
    const [least, most] = decibels[dtype];
    assert.ok(ratio >= least && ratio <= most, `${dtype}: ${ratio} dB`);
  }
});

Deno.test("quantize() keeps blocks of zeros, and of one value as far as the F16 scale allows", () => {
  for (const dtype of DTYPES) {
    assert.deepEqual(dequantize(dtype, quantize(dtype, new Float32Array(32))), new Float32Array(32));
    for (const value of dequantize(dtype, quantize(dtype, new Float32Array(32).fill(-0.5)))) {
      assert.ok(Math.abs(value + 0.5) <= 0.5 * 2 ** -11, `${dtype}: ${value}`);
    }
  }
});

Deno.test("dequantize() and toFloat32() refuse parts of blocks and elements", () => {
  for (const dtype of DTYPES) assert.throws(() => dequantize(dtype, new Uint8Array(17)), RangeError);
  assert.throws(() => toFloat32("F32", new Uint8Array(6)), RangeError);
  assert.throws(() => toFloat32("F16", new Uint8Array(3)), RangeError);
});

Deno.test("toFloat32() reads unaligned bytes", () => {
  const bytes = Uint8Array.of(9, 0, 0x3c, 0x80, 0x3f, 0, 0, 0x80, 0x3f);
  assert.deepEqual([...toFloat32("F16", bytes.subarray(1, 3))], [1]);
  assert.deepEqual([...toFloat32("BF16", bytes.subarray(3, 5))], [1]);
  assert.deepEqual([...toFloat32("F32", bytes.subarray(5, 9))], [1]);
});
