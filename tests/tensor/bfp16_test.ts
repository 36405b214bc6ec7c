import assert from "node:assert/strict";
import { packBfp16, unpackBfp16 } from "../../tensor/bfp16.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { compare } from "../../tensor/compare.ts";
import type { Bfp16Rounding } from "../../tensor/mod.ts";
import { anyBits, bitsOf, mixedValues, uniformValues } from "./_values.ts";

const BLOCK = bfp16Layout(1, 8);
const LARGEST = 2 ** 128 - 2 ** 104;

/** Packs eight values; answers the exponent and the mantissas. */
function pack(values: readonly number[], rounding: Bfp16Rounding = "nearest"): number[] {
  const bytes = packBfp16(Float32Array.from(values), BLOCK, { rounding });
  return [bytes[0], ...new Int8Array(bytes.buffer, 1)];
}

const unpack = (exponent: number, mantissas: readonly number[]): number[] => [
  ...unpackBfp16(Uint8Array.from([exponent, ...mantissas]), BLOCK),
];

/** Nearest whole number, halves to even, the long way round. */
function nearestEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** The block that the definition at the head of tensor/bfp16.ts asks for, word by word. */
function definition(block: Float32Array<ArrayBuffer>, rounding: Bfp16Rounding): number[] {
  let e = Math.max(...Array.from(bitsOf(block), (word) => (word >>> 23) & 255));
  const round = rounding === "nearest" ? nearestEven : Math.floor;
  const scaled = () => Array.from(block, (x) => x / 2 ** (e - 133));
  const overflows = () => scaled().some((m) => Math.abs(round(m)) === 128);
  if (rounding === "nearest" && e < 255 && overflows()) e++;
  const special = (m: number) => Number.isNaN(m) ? -128 : round(Math.max(-64, Math.min(64, m)));
  // + 0: a mantissa has no −0.
  return [e, ...scaled().map((m) => (e === 255 ? special(m) : round(m)) + 0)];
}

Deno.test("packBfp16() keeps its definition for blocks of every exponent, and of any bits", () => {
  for (const rounding of ["nearest", "truncate"] as const) {
    for (let e = 0; e <= 255; e++) {
      for (let round = 0; round < 24; round++) {
        const block = anyBits(8, 1000 * e + round);
        const bits = bitsOf(block);
        // The first value has that exponent; the others have it, one less, any less.
        const spread = [0, 1, 256][round % 3];
        for (let i = 0; i < 8; i++) {
          const exponent = i === 0 ? e : Math.max(0, e - (bits[i] >>> 23) % (spread + 1));
          bits[i] = (bits[i] & 0x807fffff) | (exponent << 23);
        }
        if (round > 12) bits[round % 8] |= 0x7f0000; // close to the next power of two
        assert.deepEqual(pack([...block], rounding), definition(block, rounding), `${rounding}, ${block}`);
      }
    }
    for (let seed = 0; seed < 2000; seed++) {
      const block = seed % 2 ? anyBits(8, seed) : mixedValues(8, seed);
      assert.deepEqual(pack([...block], rounding), definition(block, rounding), `${rounding}, ${block}`);
    }
  }
});

Deno.test("unpackBfp16() gives m · 2^(e − 133) for every exponent and mantissa", () => {
  for (let e = 0; e < 256; e++) {
    for (let m = -128; m < 128; m++) {
      const [value] = unpack(e, [m, 0, 0, 0, 0, 0, 0, 0]);
      if (e === 255 && Math.abs(m) > 64) assert.ok(Number.isNaN(value), `${e}, ${m}`);
      else if (Math.abs(m) * 2 ** (e - 133) >= 2 ** 128) assert.equal(value, Math.sign(m) * Infinity);
      else assert.equal(value, m * 2 ** (e - 133), `${e}, ${m}`);
    }
  }
});

Deno.test("packBfp16() takes what it has unpacked back to the same bytes, unless a mantissa was ±128", () => {
  for (let e = 0; e < 255; e++) {
    for (const largest of [64, 65, 96, 126, 127]) {
      const block = [e, largest, -largest, 0, 1, -1, 32, -33, 64];
      assert.deepEqual(pack(unpack(e, block.slice(1))), block, `exponent ${e}`);
      assert.deepEqual(pack(unpack(e, block.slice(1)), "truncate"), block, `exponent ${e}`);
    }
  }
});

Deno.test("packBfp16() takes one exponent more where the largest mantissa would be 128", () => {
  assert.deepEqual(pack([127 / 64, 1, 0, 0, 0, 0, 0, 0]), [127, 127, 64, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([127.5 / 64, 1, 3 / 64, 1 / 64, 0, 0, 0, 0]), [128, 64, 32, 2, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([-127.5 / 64, 1, 0, 0, 0, 0, 0, 0]), [128, -64, 32, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([127.5 / 64, 1, 0, 0, 0, 0, 0, 0], "truncate"), [127, 127, 64, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([-127.5 / 64, 1, 0, 0, 0, 0, 0, 0], "truncate"), [127, -128, 64, 0, 0, 0, 0, 0, 0]);
});

Deno.test("packBfp16() has defined results for zeros, subnormals, infinities and NaN", () => {
  assert.deepEqual(pack([0, -0, 0, -0, 0, 0, 0, 0]), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([0, -0, 0, -0, 0, 0, 0, 0], "truncate"), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(pack([2 ** -127, -(2 ** -128), 2 ** -133, 2 ** -149, 0, 0, 0, 0]), [
    ...[0, 64, -32, 1],
    ...[0, 0, 0, 0, 0],
  ]);
  assert.deepEqual(pack([1, -(2 ** -149), 2 ** -149, 0, 0, 0, 0, 0], "truncate").slice(0, 4), [
    127,
    64,
    -1,
    0,
  ]);
  const special = [Infinity, -Infinity, NaN, 1, LARGEST, -LARGEST, 2 ** 122, 2 ** 121];
  assert.deepEqual(pack(special), [255, 64, -64, -128, 0, 64, -64, 1, 0]);
  assert.deepEqual(pack(special, "truncate"), [255, 64, -64, -128, 0, 63, -64, 1, 0]);
  assert.deepEqual(unpack(255, [64, -64, -128, 0, 63, -63, 1, 127]), [
    ...[Infinity, -Infinity, NaN, 0],
    ...[63 * 2 ** 122, -63 * 2 ** 122, 2 ** 122, NaN],
  ]);
  // As in BF16, what rounds past the largest F32 is infinite.
  assert.equal(unpackBfp16(packBfp16(new Float32Array(8).fill(LARGEST), BLOCK), BLOCK)[0], Infinity);
});

Deno.test("packBfp16() of −x has the negative mantissas, to nearest", () => {
  for (let seed = 0; seed < 500; seed++) {
    const block = [...mixedValues(8, seed)];
    const [e, ...mantissas] = pack(block);
    assert.deepEqual(pack(block.map((x) => -x)), [e, ...mantissas.map((m) => 0 - m)]);
  }
});

Deno.test("BFP16 keeps uniform values at 48 dB to nearest, at 42 dB truncated", () => {
  const values = uniformValues(64 * 512, 7);
  const layout = bfp16Layout(64, 512);
  const snr = (rounding: Bfp16Rounding) =>
    compare(unpackBfp16(packBfp16(values, layout, { rounding }), layout), values).snr!;
  // A unit is 2^-7 where the largest of eight is above ½; its error is unit² / 12, truncated unit² / 3.
  const nearest = 10 * Math.log10(4 * 2 ** 14);
  assert.ok(Math.abs(snr("nearest") - nearest) < 0.6, `${snr("nearest")} dB`);
  assert.ok(Math.abs(snr("truncate") - (nearest - 6.02)) < 0.6, `${snr("truncate")} dB`);
});
