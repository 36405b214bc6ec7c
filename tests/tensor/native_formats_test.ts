/** Native conversions give the bits of the TypeScript ones, on every variant this processor can run. */

import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { bfp16Bytes, bfp16Layout, type Bfp16LayoutOptions } from "../../tensor/bfp16_layout.ts";
import { type Formats, PORTABLE_FORMATS } from "../../tensor/formats.ts";
import type { QuantizeOptions } from "../../tensor/integers.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { anyBits, bitsOf, mixedValues, uniformValues } from "./_values.ts";

/** Odd sizes around the kernels' steps; the last is shared by all threads. */
const SHAPES: readonly (readonly [rows: number, columns: number])[] = [
  [1, 1],
  [1, 7],
  [3, 8],
  [7, 9],
  [8, 31],
  [9, 32],
  [16, 33],
  [17, 64],
  [31, 100],
  [33, 130],
  [260, 512],
];

/** INT8 goes 64 values and 8 rows of 1024 columns at a time, in batches of 4096 values, 512 of the next fetched ahead. */
const SHAPES_INT8: typeof SHAPES = [...SHAPES, [9, 1030], [3, 4160]];

const KINDS = { mixed: mixedValues, any: anyBits, uniform: uniformValues };

/** Opens the formats of each variant, on one thread and on three. */
async function onEachVariant(body: (formats: Formats, where: string) => Promise<void>): Promise<void> {
  for (const variant of variants()) {
    for (const threads of [1, 3]) {
      using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads });
      assert.equal(device.formats.name, `cpu (${variant})`);
      await body(device.formats, `${variant}, ${threads} threads`);
    }
  }
}

function sameBytes(actual: ArrayBufferView, expected: ArrayBufferView, what: string): void {
  const view = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const [a, e] = [view(actual), view(expected)];
  assert.equal(a.length, e.length, what);
  const different = a.findIndex((byte, i) => byte !== e[i]);
  assert.ok(different < 0, `${what}: byte ${different} is ${a[different]}, must be ${e[different]}`);
}

testWithLibrary("native BF16 equals the TypeScript, for any bits and all 65,536 codes", async () => {
  const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
  await onEachVariant(async (formats, where) => {
    const wide = await formats.fromBf16(codes);
    sameBytes(wide, await PORTABLE_FORMATS.fromBf16(codes), where);
    sameBytes(await formats.toBf16(wide), await PORTABLE_FORMATS.toBf16(wide), where);
    // Each code's bits, one less, a half above, and what is next to that half.
    for (const low of [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff]) {
      const bits = Uint32Array.from(codes, (code) => (code << 16) | low);
      const values = new Float32Array(bits.buffer);
      sameBytes(await formats.toBf16(values), await PORTABLE_FORMATS.toBf16(values), `${where}, ${low}`);
    }
    for (const length of [0, 1, 15, 17, 1000, 140_001]) {
      const values = anyBits(length, length);
      sameBytes(await formats.toBf16(values), await PORTABLE_FORMATS.toBf16(values), `${where}, ${length}`);
    }
  });
});

testWithLibrary(
  "native BFP16 equals the TypeScript: both roundings, every layout, transposed or not",
  async () => {
    const layouts: readonly Bfp16LayoutOptions[] = [
      {},
      { padTo: [8, 64] },
      { order: "dim32" },
      { order: "dim32", padTo: [64, 64] },
      { order: "dim32", tile: [16, 64] },
      { order: "dim32", tile: [8, 128] },
    ];
    await onEachVariant(async (formats, where) => {
      for (const [s, [rows, columns]] of SHAPES.entries()) {
        for (const options of layouts) {
          const layout = bfp16Layout(rows, columns, options);
          for (const [kind, make] of Object.entries(KINDS)) {
            const values = make(rows * columns, s);
            for (const rounding of ["nearest", "truncate"] as const) {
              for (const transposed of [false, true]) {
                const what = `${where}, ${rows} × ${columns}, ${
                  JSON.stringify({ ...options, kind, rounding, transposed })
                }`;
                const out = new Uint8Array(bfp16Bytes(layout)).fill(0xab);
                const bytes = await formats.packBfp16(values, layout, { rounding, transposed, out });
                assert.equal(bytes, out);
                sameBytes(
                  bytes,
                  await PORTABLE_FORMATS.packBfp16(values, layout, { rounding, transposed }),
                  what,
                );
              }
            }
            const bytes = await PORTABLE_FORMATS.packBfp16(values, layout);
            const [got, want] = [
              await formats.unpackBfp16(bytes, layout),
              await PORTABLE_FORMATS.unpackBfp16(bytes, layout),
            ];
            got.forEach((x, i) => assert.ok(Object.is(x, want[i]), `${where}: value ${i}`));
          }
        }
      }
    });
  },
);

testWithLibrary(
  "native BFP16 equals the TypeScript for every exponent, and every byte to decode",
  async () => {
    const bits = bitsOf(anyBits(256 * 4 * 8, 1)).map((word, i) => {
      const e = i >> 5;
      const less = [0, 1, 3, 200][(i >> 3) & 3];
      return (word & 0x807fffff) | (Math.max(0, e - (i % 8 ? (word >>> 23) % (less + 1) : 0)) << 23);
    });
    const values = new Float32Array(bits.buffer);
    const layout = bfp16Layout(256 * 4, 8);
    const all = bfp16Layout(256 * 32, 8);
    const bytes = Uint8Array.from({ length: bfp16Bytes(all) }, (_, i) => {
      const [block, j] = [Math.floor(i / 9), i % 9];
      return j === 0 ? block >> 5 : (block & 31) * 8 + j - 1;
    });
    await onEachVariant(async (formats, where) => {
      for (const rounding of ["nearest", "truncate"] as const) {
        const want = await PORTABLE_FORMATS.packBfp16(values, layout, { rounding });
        sameBytes(await formats.packBfp16(values, layout, { rounding }), want, `${where}, ${rounding}`);
      }
      const want = await PORTABLE_FORMATS.unpackBfp16(bytes, all);
      (await formats.unpackBfp16(bytes, all)).forEach((x, i) =>
        assert.ok(Object.is(x, want[i]), `${where}: block ${i >> 3}, value ${i & 7}`)
      );
    });
  },
);

testWithLibrary("native INT8 equals the TypeScript: every granularity, scheme and range", async () => {
  await onEachVariant(async (formats, where) => {
    for (const [s, [rows, columns]] of SHAPES_INT8.entries()) {
      const granularities = ["tensor", "row", "column", { group: 1 }, {
        group: columns % 2 ? columns : columns / 2,
      }];
      for (const granularity of granularities as QuantizeOptions["granularity"][]) {
        for (const [kind, make] of Object.entries(KINDS)) {
          const values = make(rows * columns, 50 + s);
          for (const symmetric of [true, false]) {
            const ranges = rows * columns < 4000 ? ["max", { percentile: 98 }] : ["max"];
            for (const range of ranges as QuantizeOptions["range"][]) {
              const options = { granularity, symmetric, range };
              const what = `${where}, ${rows} × ${columns}, ${JSON.stringify({ ...options, kind })}`;
              const want = await PORTABLE_FORMATS.quantizeInt8(values, [rows, columns], options);
              const got = await formats.quantizeInt8(values, [rows, columns], options);
              sameBytes(got.scales, want.scales, what);
              if (want.zeroPoints) sameBytes(got.zeroPoints!, want.zeroPoints, what);
              else assert.equal(got.zeroPoints, null);
              sameBytes(got.codes, want.codes, what);
              const restored = await formats.dequantizeInt8(got);
              sameBytes(restored, await PORTABLE_FORMATS.dequantizeInt8(want), what);
            }
          }
        }
      }
    }
  });
});

testWithLibrary("native conversions refuse what the TypeScript refuses, with the same words", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 1 });
  const layout = bfp16Layout(8, 8);
  const values = new Float32Array(64);
  const quantized = await PORTABLE_FORMATS.quantizeInt8(values, [8, 8]);
  const detached = new Float32Array(64);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const attempts: readonly ((formats: Formats) => Promise<unknown>)[] = [
    (formats) => formats.packBfp16(values.subarray(1), layout),
    (formats) => formats.packBfp16(detached, layout),
    (formats) => formats.packBfp16(values, layout, { out: new Uint8Array(73) }),
    (formats) => formats.unpackBfp16(new Uint8Array(71), layout),
    (formats) => formats.unpackBfp16(new Uint8Array(72), layout, new Float32Array(63)),
    (formats) => formats.quantizeInt8(values, [8, 9]),
    (formats) => formats.quantizeInt8(values, [8, 8], { granularity: { group: 3 } }),
    (formats) => formats.quantizeInt8(detached, [8, 8], { granularity: "column" }),
    (formats) => formats.quantizeInt8(values, [8, 8], { range: { percentile: 0 } }),
    (formats) => formats.dequantizeInt8({ ...quantized, codes: new Int8Array(63) }),
    (formats) => formats.dequantizeInt8({ ...quantized, scales: new Float32Array(2) }),
    (formats) => formats.dequantizeInt8({ ...quantized, scales: Float32Array.of(NaN) }),
    (formats) => formats.dequantizeInt8({ ...quantized, zeroPoints: Int32Array.of(300) }),
    (formats) => formats.dequantizeInt8(quantized, new Float32Array(65)),
  ];
  for (const attempt of attempts) {
    const refusal = async (formats: Formats): Promise<string> => {
      try {
        await attempt(formats);
      } catch (error) {
        assert.ok(error instanceof SottoError && error.code === "E_OPTION", String(error));
        return error.message;
      }
      assert.fail("nothing was refused");
    };
    assert.equal(await refusal(device.formats), await refusal(PORTABLE_FORMATS));
  }
});

testWithLibrary("the library itself refuses layouts and blocks that could lead outside", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 1 });
  const good = bfp16Layout(64, 128, { order: "dim32", tile: [8, 64] });
  const values = new Float32Array(64 * 128);
  for (
    const [change, message] of [
      [{ tileColumns: 8 }, /tiles of multiples of 8 × 64/],
      [{ tileRows: 0 }, /tiles/],
      [{ tileRows: -8 }, /tiles/],
      [{ tileRows: 24 }, /tiles/],
      [{ storedRows: 66 }, /do not fit into 66 × 128/],
      [{ storedRows: 8 }, /do not fit into 8 × 128/],
    ] as const
  ) {
    const layout = { ...good, ...change };
    const out = new Uint8Array(bfp16Bytes(layout));
    await assert.rejects(device.formats.packBfp16(values, layout, { out }), message);
  }
  const quantized = await PORTABLE_FORMATS.quantizeInt8(values, [64, 128]);
  const blocks = { ...quantized, blockRows: 2, blockColumns: 128, scales: new Float32Array(32).fill(1) };
  await assert.rejects(device.formats.dequantizeInt8(blocks), /a scale must be shared by .* got 2 × 128/);
  const { formats } = device;
  device[Symbol.dispose]();
  await assert.rejects(
    formats.toBf16(values),
    (error) => error instanceof SottoError && error.code === "E_BUSY",
  );
  assert.ok(CpuLibrary.open(LIBRARY_PATH).describe().variants.length > 0);
});
