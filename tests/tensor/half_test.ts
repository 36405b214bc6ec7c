import assert from "node:assert/strict";
import { bf16ToFloat32, f16ToFloat32, float32ToBf16, float32ToF16 } from "../../tensor/half.ts";

const ALL_CODES = Uint16Array.from({ length: 65536 }, (_, code) => code);

/** The value of an F16 code by the definition of IEEE 754 binary16. */
function f16Value(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const fraction = code & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

Deno.test("f16ToFloat32() gives the value of each of the 65,536 codes", () => {
  const values = f16ToFloat32(ALL_CODES);
  for (const code of ALL_CODES) {
    assert.ok(Object.is(values[code], f16Value(code)), `code ${code}: ${values[code]}`);
  }
});

Deno.test("float32ToF16() takes every code's value back to the code, and rounds halves to even", () => {
  const codes = float32ToF16(f16ToFloat32(ALL_CODES));
  for (const code of ALL_CODES) {
    if (Number.isNaN(f16Value(code))) assert.ok(Number.isNaN(f16Value(codes[code])));
    else assert.equal(codes[code], code);
  }
  const between = (a: number, b: number): number => (f16Value(a) + f16Value(b)) / 2;
  const values = Float32Array.of(
    between(0x3c00, 0x3c01),
    between(0x3c01, 0x3c02),
    between(0, 1),
    between(1, 2),
    65520,
    65519.9,
  );
  assert.deepEqual([...float32ToF16(values)], [0x3c00, 0x3c02, 0, 2, 0x7c00, 0x7bff]);
});

Deno.test("bf16ToFloat32() and float32ToBf16() are inverse over all codes; NaN stays NaN", () => {
  const values = bf16ToFloat32(ALL_CODES);
  assert.deepEqual([values[0x3f80], values[0xc000], values[0x0001], values[0x7f80]], [
    1,
    -2,
    2 ** -133,
    Infinity,
  ]);
  const codes = float32ToBf16(values);
  for (const code of ALL_CODES) {
    const isNaNCode = (code & 0x7fff) > 0x7f80;
    assert.equal(codes[code], isNaNCode ? code | 0x40 : code);
  }
});

Deno.test("float32ToBf16() rounds to the nearest, halves to even, and overflows to infinity", () => {
  const bits = Uint32Array.of(
    0x3f808000,
    0x3f818000,
    0x3f808001,
    0x3f807fff,
    0x7f7fffff,
    0x7f800001,
    0xff7fffff,
    0x8000,
  );
  const codes = float32ToBf16(new Float32Array(bits.buffer));
  assert.deepEqual([...codes], [0x3f80, 0x3f82, 0x3f81, 0x3f80, 0x7f80, 0x7fc0, 0xff80, 0]);
});
