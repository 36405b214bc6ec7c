/** The modelled tiles' arithmetic against its definition, computed again here one number at a time. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { packBfp16, unpackBfp16 } from "../../tensor/bfp16.ts";
import { float32ToBf16 } from "../../tensor/half.ts";
import { runTile } from "./_one_tile.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const { fround } = Math;
const CANONICAL_NAN = 0x7fc00000;

/** Bits of F32 numbers, NaN as the one that the model answers with. */
function bits(values: Float32Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(values.buffer).map((word, i) => values[i] !== values[i] ? CANONICAL_NAN : word);
}

/** A generator of 32 random bits. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

const fromBf16 = (codes: Uint16Array): Float32Array<ArrayBuffer> =>
  new Float32Array(Uint32Array.from(codes, (code) => code << 16).buffer);

/** C = A·B with each product and each sum rounded, K in order; tiles of K follow one another. */
function product(a: Float32Array, b: Float32Array, [m, k, n]: readonly number[]): Float32Array<ArrayBuffer> {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let q = 0; q < k; q++) sum = fround(sum + fround(a[i * k + q] * b[q * n + j]));
      c[i * n + j] = sum;
    }
  }
  return c;
}

/** [rows, columns] as a stream of tiles [rows, columns / count], left to right. */
function columnTiles<T extends Uint16Array | Int8Array | Int16Array | Float32Array>(
  matrix: T,
  rows: number,
  count: number,
): T {
  const columns = matrix.length / rows, width = columns / count;
  const tiles = matrix.slice();
  for (let i = 0; i < matrix.length; i++) {
    const tile = Math.floor(i / (rows * width)), inside = i % (rows * width);
    tiles[i] = matrix[Math.floor(inside / width) * columns + tile * width + inside % width];
  }
  return tiles as T;
}

const SHAPE = { m: 16, k: 24, n: 20 }; // no multiple of any vector's width
const STEPS = 3;
const SIZE = [SHAPE.m, SHAPE.k * STEPS, SHAPE.n] as const;
const matmul = (a: string, c: string) => `matmul tile 16 24 20 subtile 4 8 4 a ${a} b ${a} c ${c}`;

testOnEmulatedNpu("bf16 products are summed in order, in F32, whatever the numbers", [], async () => {
  const [m, k, n] = SIZE;
  const next = random(1);
  // Exponents near 1 in the first rows; every bit pattern, infinities, NaN and subnormals among them, in the last.
  const any = () => next() >>> 16;
  const near = () => (next() >>> 16) & 0x80ff | 0x3f00;
  const a = Uint16Array.from({ length: m * k }, (_, i) => i < m * k * 0.75 ? near() : any());
  const b = Uint16Array.from({ length: k * n }, near);
  const result = await runTile(
    matmul("bf16", "f32"),
    [0, STEPS, 0, 0],
    [columnTiles(a, m, STEPS), b],
    4 * m * n,
  );
  const expected = product(fromBf16(a), fromBf16(b), SIZE);
  ok(expected.some((value) => value !== value), "some result is NaN");
  deepEqual(new Uint32Array(result), bits(expected));
});

testOnEmulatedNpu("bf16 results are rounded once, to the nearest even", [], async () => {
  const [m, k, n] = SIZE;
  const next = random(2);
  const near = () => (next() >>> 16) & 0x81ff | 0x3e00;
  const a = Uint16Array.from({ length: m * k }, near), b = Uint16Array.from({ length: k * n }, near);
  const result = await runTile(
    matmul("bf16", "bf16"),
    [0, STEPS, 0, 0],
    [columnTiles(a, m, STEPS), b],
    2 * m * n,
  );
  deepEqual(new Uint16Array(result), float32ToBf16(product(fromBf16(a), fromBf16(b), SIZE)));
});

for (const [input, output] of [["i8", "i32"], ["i16", "i32"], ["i16", "i16"], ["i8", "i8"]] as const) {
  testOnEmulatedNpu(`${input} products give ${output} modulo its range, at its limits too`, [], async () => {
    const [m, k, n] = SIZE;
    const next = random(3);
    const make = (count: number) => {
      const all = Int32Array.from(
        { length: count },
        (_, i) => i % 5 === 0 ? -32768 : i % 7 === 0 ? 32767 : next() >> 16,
      );
      return input === "i16" ? Int16Array.from(all) : Int8Array.from(all, (value) => value >> 8);
    };
    const a = make(m * k), b = make(k * n);
    const bytes = { i32: 4, i16: 2, i8: 1 }[output] * m * n;
    const result = await runTile(
      matmul(input, output),
      [0, STEPS, 0, 0],
      [columnTiles(a, m, STEPS), b],
      bytes,
    );
    const expected = new Int32Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let q = 0; q < k; q++) {
        for (let j = 0; j < n; j++) expected[i * n + j] += a[i * k + q] * b[q * n + j]; // < 2^53 in between
      }
    }
    const narrow = { i32: Int32Array, i16: Int16Array, i8: Int8Array }[output];
    deepEqual(new narrow(result), narrow.from(expected));
  });
}

const BFP_TILE = 16;

testOnEmulatedNpu(
  "bfp16 products are exact before they are summed in order, and results are truncated",
  [],
  async () => {
    const size = [BFP_TILE, BFP_TILE * STEPS, BFP_TILE] as const;
    const [m, k, n] = size;
    const next = random(4);
    const number = () => fround((next() / 2 ** 32 - 0.5) * 2 ** (next() % 40 - 20));
    const values = (count: number) => Float32Array.from({ length: count }, number);
    const tile = bfp16Layout(BFP_TILE, BFP_TILE, { order: "dim32", tile: [BFP_TILE, BFP_TILE] });
    const packed = { a: [] as number[], b: [] as number[] };
    const a = new Float32Array(m * k), b = new Float32Array(k * n);
    for (let step = 0; step < STEPS; step++) {
      const left = packBfp16(values(m * BFP_TILE), tile), right = packBfp16(values(BFP_TILE * n), tile);
      packed.a.push(...left);
      packed.b.push(...right);
      const exactLeft = unpackBfp16(left, tile), exactRight = unpackBfp16(right, tile);
      for (let i = 0; i < BFP_TILE; i++) {
        for (let j = 0; j < BFP_TILE; j++) {
          a[i * k + step * BFP_TILE + j] = exactLeft[i * BFP_TILE + j];
          b[(step * BFP_TILE + j) * n + i] = exactRight[i * BFP_TILE + j]; // comes transposed
        }
      }
    }
    const inputs = [Uint8Array.from(packed.a), Uint8Array.from(packed.b)];
    const expected = product(a, b, size);
    const program = (c: string) => `matmul tile 16 16 16 subtile 8 8 8 a bfp16 b bfp16 c ${c}`;
    const plain = await runTile(program("f32"), [0, STEPS, 0, 0], inputs, 4 * m * n);
    deepEqual(new Uint32Array(plain), bits(expected));
    const blocks = await runTile(program("bfp16"), [0, STEPS, 0, 0], inputs, m * n / 8 * 9);
    deepEqual(new Uint8Array(blocks), packBfp16(expected, tile, { rounding: "truncate" }));
  },
);

/** The exponential of native/npu_model/tile_exp.h. */
function tileExp(x: number): number {
  if (x < -87) return 0;
  const t = fround(x * fround(1.44269504)),
    shifted = fround(t + 12582912),
    f = fround(t - fround(shifted - 12582912));
  const terms = [1.54035304e-4, 1.33335581e-3, 9.61812911e-3, 5.55041087e-2, 2.40226507e-1, 6.93147181e-1, 1];
  let sum = fround(terms[0]);
  for (const term of terms.slice(1)) sum = fround(fround(sum * f) + fround(term));
  return fround(sum * 2 ** (shifted - 12582912));
}

Deno.test("the tiles' exponential is right to a few units of the last place", () => {
  let worst = 0;
  for (let x = 0; x > -80; x -= 0.0137) {
    worst = Math.max(worst, Math.abs(tileExp(fround(x)) / Math.exp(fround(x)) - 1));
  }
  ok(worst < 6e-6, `${worst}`); // x·log2(e) is rounded once: 80 · 2^-24
  equal(tileExp(0), 1);
});

/** Attention of one tile: Q [rows, width], then K and V of each tile of keys; keys beyond `keys` are masked. */
interface AttentionCase {
  readonly rows: number;
  readonly width: number;
  readonly tiles: number;
  readonly keys: number;
  readonly scale: number;
}

/** As native/npu_model/attention.c defines it. */
function attention(
  queries: Float32Array,
  pairs: Float32Array,
  { rows, width, keys, scale }: AttentionCase,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    let most = -Infinity, total = 0;
    const sums = new Float32Array(width);
    for (let tile = 0; tile * rows < keys; tile++) {
      const at = 2 * tile * rows * width, valid = Math.min(rows, keys - tile * rows);
      const scores = Array.from({ length: valid }, (_, key) => {
        let sum = 0;
        for (let d = 0; d < width; d++) {
          sum = fround(sum + fround(queries[i * width + d] * pairs[at + key * width + d]));
        }
        return fround(sum * scale);
      });
      const highest = Math.max(most, ...scores);
      const shrink = most === highest ? 1 : tileExp(fround(most - highest));
      const weights = fromBf16(float32ToBf16(Float32Array.from(scores, (s) => tileExp(fround(s - highest)))));
      let added = 0;
      for (const weight of weights) added = fround(added + weight);
      total = fround(fround(total * shrink) + added);
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (let key = 0; key < valid; key++) {
          sum = fround(sum + fround(weights[key] * pairs[at + (rows + key) * width + d]));
        }
        sums[d] = fround(fround(sums[d] * shrink) + sum);
      }
      most = highest;
    }
    for (let d = 0; d < width; d++) out[i * width + d] = fround(sums[d] / total);
  }
  return out;
}

const ATTENTION: AttentionCase = { rows: 16, width: 24, tiles: 3, keys: 37, scale: 0.25 };
const SCALE_WORD = new Uint32Array(Float32Array.of(ATTENTION.scale).buffer)[0];
const ATTENTION_RUNTIME = [0, ATTENTION.tiles, ATTENTION.keys, SCALE_WORD];

testOnEmulatedNpu("attention runs over tiles of keys as it is defined, masked keys apart", [], async () => {
  const { rows, width, tiles } = ATTENTION;
  const next = random(5);
  const code = () => (next() >>> 16) & 0x81ff | 0x3e80;
  const q = Uint16Array.from({ length: rows * width }, code);
  const kv = Uint16Array.from({ length: 2 * tiles * rows * width }, code);
  const expected = attention(fromBf16(q), fromBf16(kv), ATTENTION);
  const run = (out: string, bytes: number) =>
    runTile(`attention tile ${rows} ${width} in bf16 out ${out}`, ATTENTION_RUNTIME, [q, kv], bytes);
  deepEqual(new Float32Array(await run("f32", 4 * rows * width)), expected);
  deepEqual(new Uint16Array(await run("bf16", 2 * rows * width)), float32ToBf16(expected));
});

testOnEmulatedNpu("attention takes bfp16 tiles", [], async () => {
  const { rows, width, tiles } = ATTENTION;
  const next = random(7);
  const layout = bfp16Layout(rows, width, { order: "dim32" });
  const tile = () =>
    packBfp16(Float32Array.from({ length: rows * width }, () => fround(next() / 2 ** 31 - 1)), layout);
  const q = tile(), kv = Array.from({ length: 2 * tiles }, tile);
  const pairs = Float32Array.from(kv.flatMap((bytes) => [...unpackBfp16(bytes, layout)]));
  const result = await runTile(
    `attention tile ${rows} ${width} in bfp16 out f32`,
    ATTENTION_RUNTIME,
    [q, Uint8Array.from(kv.flatMap((bytes) => [...bytes]))],
    4 * rows * width,
  );
  deepEqual(new Float32Array(result), attention(unpackBfp16(q, layout), pairs, ATTENTION));
});

testOnEmulatedNpu("softmax, gelu and layernorm of vectors are right to bf16", [], async () => {
  const length = 64;
  const next = random(6);
  const codes = Uint16Array.from({ length }, () => (next() >>> 16) & 0x81ff | 0x3e80);
  const x = Array.from(fromBf16(codes));
  const highest = Math.max(...x);
  const total = x.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  const mean = x.reduce((sum, value) => sum + value, 0) / length;
  const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length + 1e-5);
  const expected: Record<string, (value: number) => number> = {
    softmax: (value) => Math.exp(value - highest) / total,
    gelu: (value) => value / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))),
    layernorm: (value) => (value - mean) / deviation,
  };
  for (const [name, formula] of Object.entries(expected)) {
    const result = fromBf16(
      new Uint16Array(await runTile(`${name} length ${length}`, [0, 0, 0, 0], [codes], 2 * length)),
    );
    for (let i = 0; i < length; i++) {
      const right = formula(x[i]);
      ok(
        Math.abs(result[i] - right) <= Math.abs(right) * 2 ** -8,
        `${name}(${x[i]}) = ${right}, got ${result[i]}`,
      );
    }
  }
});
