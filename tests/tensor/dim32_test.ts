import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { packBfp16, unpackBfp16 } from "../../tensor/bfp16.ts";
import { bfp16Bytes, bfp16Layout, type Bfp16LayoutOptions, bfp16Offset } from "../../tensor/bfp16_layout.ts";
import { shuffleDim32, unshuffleDim32 } from "../../tensor/dim32.ts";
import { bitsOf, uniformValues } from "./_values.ts";

const SIZES = [1, 8, 31, 32, 33, 64];

Deno.test("bfp16Bytes() of a 512 × 512 matrix are 294,912 in either order", () => {
  assert.equal(bfp16Bytes(bfp16Layout(512, 512)), 294_912);
  assert.equal(bfp16Bytes(bfp16Layout(512, 512, { order: "dim32" })), 294_912);
});

Deno.test("shuffleDim32() round-trips 1, 8, 31, 32, 33 and 64 rows × columns with their padding", () => {
  for (const rows of SIZES) {
    for (const columns of SIZES) {
      const values = uniformValues(rows * columns, 100 * rows + columns);
      const shuffled = bfp16Layout(rows, columns, { order: "dim32" });
      const plain = bfp16Layout(rows, columns, { padTo: [8, 8] });
      const bytes = packBfp16(values, plain);
      const moved = shuffleDim32(bytes, shuffled);
      assert.deepEqual(moved, packBfp16(values, shuffled), `${rows} × ${columns}: packed at once`);
      assert.deepEqual(unshuffleDim32(moved, shuffled), bytes, `${rows} × ${columns}`);
      assert.deepEqual(
        unpackBfp16(moved, shuffled),
        unpackBfp16(bytes, plain),
        `${rows} × ${columns}: values`,
      );
    }
  }
});

Deno.test("the DIM32 order stores subtiles of 8 rows × 9 bytes, left to right, top to bottom", () => {
  const layout = bfp16Layout(16, 24, { order: "dim32" });
  let expected = 0;
  for (let subtileRow = 0; subtileRow < 2; subtileRow++) {
    for (let block = 0; block < 3; block++) {
      for (let row = 0; row < 8; row++, expected += 9) {
        assert.equal(bfp16Offset(layout, 8 * subtileRow + row, block), expected);
      }
    }
  }
});

/** The toolchain's walk (mlir-aie, block_datatypes: shuffled bytes fill each tile's rectangle), byte by byte. */
function shuffleByteByByte(
  bytes: Uint8Array,
  height: number,
  width: number,
  tile: readonly [number, number],
): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const [rowBytes, tileBytes] = [width / 8 * 9, tile[1] / 8 * 9];
  for (let top = 0; top < height; top += tile[0]) {
    for (let left = 0; left < rowBytes; left += tileBytes) {
      let count = 0;
      for (let y = 0; y < tile[0]; y += 8) {
        for (let x = 0; x < tileBytes; x += 9) {
          for (let i = 0; i < 8; i++) {
            for (let j = 0; j < 9; j++, count++) {
              const to = (top + Math.floor(count / tileBytes)) * rowBytes + left + count % tileBytes;
              out[to] = bytes[(top + y + i) * rowBytes + left + x + j];
            }
          }
        }
      }
    }
  }
  return out;
}

Deno.test("shuffleDim32() moves each kernel tile inside its rectangle", () => {
  for (const tile of [[64, 64], [8, 64], [32, 128], [16, 256], [128, 256]] as const) {
    const layout = bfp16Layout(128, 256, { order: "dim32", tile });
    const bytes = packBfp16(uniformValues(128 * 256, 3), bfp16Layout(128, 256));
    const shuffled = shuffleDim32(bytes, layout);
    assert.deepEqual(shuffled, shuffleByteByByte(bytes, 128, 256, tile), `tile ${tile}`);
    assert.deepEqual(unshuffleDim32(shuffled, layout), bytes, `tile ${tile}`);
  }
});

Deno.test("every layout has a place of its own for each block", () => {
  for (
    const [rows, columns, options] of [
      [17, 33, {}],
      [17, 33, { order: "dim32" }],
      [17, 33, { order: "dim32", tile: [16, 64] }],
      [70, 130, { order: "dim32", tile: [8, 64] }],
      [70, 130, { order: "dim32", padTo: [128, 192] }],
    ] as [number, number, Bfp16LayoutOptions][]
  ) {
    const layout = bfp16Layout(rows, columns, options);
    const places = new Set<number>();
    for (let r = 0; r < layout.storedRows; r++) {
      for (let b = 0; b < layout.storedColumns / 8; b++) places.add(bfp16Offset(layout, r, b));
    }
    assert.equal(places.size * 9, bfp16Bytes(layout));
    assert.ok([...places].every((at) => at % 9 === 0 && at >= 0 && at < bfp16Bytes(layout)));
  }
});

Deno.test("packBfp16() of a transposed B [K, N] equals packing Bᵀ [N, K]; padding is zeros", () => {
  const [K, N] = [33, 20];
  const b = uniformValues(K * N, 5);
  const transposed = Float32Array.from({ length: K * N }, (_, i) => b[(i % K) * N + Math.floor(i / K)]);
  for (
    const options of [{}, { order: "dim32" }, { order: "dim32", tile: [32, 64] }] as Bfp16LayoutOptions[]
  ) {
    const layout = bfp16Layout(N, K, options);
    const out = new Uint8Array(bfp16Bytes(layout)).fill(0xab);
    packBfp16(b, layout, { transposed: true, out });
    assert.deepEqual(out, packBfp16(transposed, layout));
    const all = { ...layout, rows: layout.storedRows, columns: layout.storedColumns };
    const stored = unpackBfp16(out, all);
    for (let r = 0; r < all.rows; r++) {
      for (let c = 0; c < all.columns; c++) {
        if (r >= N || c >= K) assert.equal(stored[r * all.columns + c], 0);
      }
    }
  }
});

Deno.test("bfp16Layout() and packBfp16() refuse what does not fit, with the value found", () => {
  const refused = (run: () => unknown, message: RegExp) =>
    assert.throws(
      run,
      (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
    );
  refused(() => bfp16Layout(0, 8), /rows must be a positive whole number, got 0/);
  refused(() => bfp16Layout(8, 1.5), /columns .* got 1.5/);
  refused(() => bfp16Layout(8, 2 ** 53), /columns/);
  refused(() => bfp16Layout(8, 8, { tile: [8, 8] }), /"rows" has no tiles/);
  refused(() => bfp16Layout(64, 128, { order: "dim32", tile: [8, 32] }), /multiple of 64, got 32/);
  refused(() => bfp16Layout(64, 128, { order: "dim32", tile: [12, 64] }), /multiple of 8, got 12/);
  refused(
    () => bfp16Layout(72, 128, { order: "dim32", tile: [64, 64], padTo: [8, 8] }),
    /must divide the padded matrix, got \[72, 128\]/,
  );
  refused(() => bfp16Layout(64, 128, { order: "dim32", padTo: [8, 12] }), /multiple of 8, got 12/);
  refused(() => packBfp16(new Float32Array(7), bfp16Layout(1, 8)), /values must have 8 elements, got 7/);
  refused(
    () => packBfp16(new Float32Array(8), bfp16Layout(1, 8), { out: new Uint8Array(8) }),
    /out must have 9/,
  );
  refused(() => unpackBfp16(new Uint8Array(8), bfp16Layout(1, 8)), /bytes must have 9 elements, got 8/);
  refused(() => shuffleDim32(new Uint8Array(9), bfp16Layout(8, 8, { order: "dim32" })), /bytes must have 72/);
  const detached = new Float32Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  refused(() => packBfp16(detached, bfp16Layout(1, 8)), /got 0/);
});

Deno.test("unpackBfp16() fills the caller's array", () => {
  const layout = bfp16Layout(3, 9);
  const values = uniformValues(27, 1);
  const out = new Float32Array(27);
  assert.equal(unpackBfp16(packBfp16(values, layout), layout, out), out);
  assert.deepEqual(bitsOf(out), bitsOf(unpackBfp16(packBfp16(values, layout), layout)));
});
