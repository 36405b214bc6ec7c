import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { RowsPass, RowsTarget } from "../../ffi/rows_pass.ts";
import { PORTABLE_ROWS } from "../../kernels/npu/portable_rows.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { relativeError } from "../support/golden.ts";
import { openEmulated, waves } from "./_encoder.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const [ROWS, COLUMNS] = [21, 72];

/** A pass from F32 to F32 with everything in it but what a test leaves out. */
function wholePass(to: Float32Array<ArrayBuffer>, more: Partial<RowsPass> = {}): RowsPass {
  return {
    rows: ROWS,
    columns: COLUMNS,
    source: { type: "f32", stride: COLUMNS + 8, from: waves(ROWS * (COLUMNS + 8)) },
    rowScales: waves(ROWS, 2),
    columnScales: waves(COLUMNS, 3),
    bias: waves(COLUMNS, 4),
    gelu: true,
    addend: waves(ROWS * COLUMNS, 5),
    norm: { weight: waves(COLUMNS, 6), bias: waves(COLUMNS, 7) },
    target: { type: "f32", stride: COLUMNS + 24, rows: ROWS + 5, firstRow: 2, to },
    ...more,
  };
}

for (const variant of variants()) {
  testWithLibrary(`CpuRows.pass() does in ${variant} what PORTABLE_ROWS does, padding included`, async () => {
    using device = CpuDevice.open({ threads: 2, variant, library: LIBRARY_PATH });
    const size = (ROWS + 5) * (COLUMNS + 24);
    for (
      const left of [{}, { gelu: false }, { norm: undefined }, { addend: undefined }, { bias: undefined }]
    ) {
      const [native, portable] = [new Float32Array(size).fill(9), new Float32Array(size).fill(9)];
      const [nativeOut, portableOut] = [new Float32Array(ROWS * COLUMNS), new Float32Array(ROWS * COLUMNS)];
      await device.rows.pass(wholePass(native, { ...left, out: nativeOut }));
      await PORTABLE_ROWS.pass(wholePass(portable, { ...left, out: portableOut }));
      ok(relativeError(native, portable) < 1e-6, `${relativeError(native, portable)}`);
      ok(relativeError(nativeOut, portableOut) < 1e-6);
      deepStrictEqual(native.map((x) => Number(x === 0)), portable.map((x) => Number(x === 0)));
    }
  });
}

testOnEmulatedNpu(
  "CpuRows.pass() writes the bits of tensor/ straight into the NPU's buffers",
  [],
  async () => {
    using npu = await openEmulated();
    using device = CpuDevice.open({ threads: 2 });
    using overlay = await npu.session!.contexts.acquire(npu.session!.design);
    const targets: Omit<RowsTarget, "to">[] = [
      { type: "bf16", stride: 128, rows: 64, firstRow: 1 },
      { type: "i8", stride: 128, rows: 64, firstRow: 0 },
      { type: "bfp16", stride: 128, rows: 64, firstRow: 0, tile: [64, 64] },
    ];
    for (const target of targets) {
      const [bytes, scales] = [[] as Uint8Array[], [] as Float32Array[]];
      for (const worker of [device.rows, PORTABLE_ROWS]) {
        using buffer = await overlay.kernel.buffer(0, 64 * 128 * 2);
        await buffer.write(new Uint8Array(buffer.size).fill(0xaa)); // what was there before must go
        const to = { ...target, to: buffer, scales: new Float32Array(ROWS) };
        const source = { type: "f32", stride: COLUMNS, from: waves(ROWS * COLUMNS) } as const;
        await worker.pass({ rows: ROWS, columns: COLUMNS, source, gelu: false, target: to });
        const tooLarge = { ...to, rows: 256 };
        await rejects(worker.pass({ rows: ROWS, columns: COLUMNS, source, gelu: false, target: tooLarge }));
        const all = new Uint8Array(buffer.size);
        await buffer.read(all);
        bytes.push(all);
        scales.push(to.scales);
      }
      deepStrictEqual(bytes[0], bytes[1]);
      deepStrictEqual(scales[0], scales[1]);
    }
  },
);

testWithLibrary("CpuRows.pass() refuses arrays that are too small, targets without room", async () => {
  using device = CpuDevice.open({ threads: 1, library: LIBRARY_PATH });
  const to = new Float32Array((ROWS + 5) * (COLUMNS + 24));
  const detached = waves(COLUMNS);
  structuredClone(detached, { transfer: [detached.buffer] });
  const wrong: Partial<RowsPass>[] = [
    { source: { type: "f32", stride: COLUMNS, from: new Float32Array(ROWS * COLUMNS - 1) } },
    { source: { type: "f32", stride: COLUMNS - 1, from: new Float32Array(ROWS * COLUMNS) } },
    { bias: waves(COLUMNS - 1) },
    { addend: waves(ROWS * COLUMNS + 1) },
    { columnScales: detached }, // rows have scales, columns have none
    { norm: { weight: waves(COLUMNS), bias: detached } },
    {
      target: {
        type: "f32",
        stride: COLUMNS,
        rows: ROWS + 1,
        firstRow: 2,
        to: new Float32Array((ROWS + 1) * COLUMNS),
      },
    },
    {
      target: {
        type: "f32",
        stride: COLUMNS,
        rows: ROWS,
        firstRow: 0,
        to: new Float32Array(ROWS * COLUMNS - 1),
      },
    },
    { rows: 0 },
    { rows: 2 ** 31 },
  ];
  for (const one of wrong) await rejects(device.rows.pass(wholePass(to, one)), { code: "E_NATIVE" });
});
