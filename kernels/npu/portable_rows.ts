/**
 * Passes over rows in TypeScript, on copies of the NPU's buffers: where there is no libsotto_cpu.
 *
 * @module
 */

import { type RowsPass, type RowsTarget, type RowsWorker, sourceBytes } from "../../ffi/rows_pass.ts";
import type { XrtBuffer } from "../../ffi/xrt_objects.ts";
import { packBfp16 } from "../../tensor/bfp16.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { bf16ToFloat32, float32ToBf16 } from "../../tensor/half.ts";
import { quantizeInt8 } from "../../tensor/integers.ts";
import { gelu } from "../portable/gelu.ts";
import { layerNorm } from "../portable/layernorm.ts";

/** Plain TypeScript, on one thread. */
export const PORTABLE_ROWS: RowsWorker = {
  async pass(pass: RowsPass): Promise<void> {
    const { rows, columns, target } = pass;
    const values = await sourceRows(pass);
    const { rowScales, columnScales, bias, addend } = pass;
    for (let r = 0; r < rows; r++) {
      const scale = rowScales === undefined ? 1 : rowScales[rowScales.length === 1 ? 0 : r];
      for (let c = 0; c < columns; c++) {
        const i = r * columns + c;
        let x = values[i];
        if (columnScales) x = Math.fround(x * Math.fround(scale * columnScales[c]));
        if (bias) x = Math.fround(x + bias[c]);
        if (pass.gelu) x = Math.fround(gelu(x));
        if (addend) x += addend[i];
        values[i] = x;
      }
    }
    pass.out?.set(values);
    if (pass.norm) layerNorm({ input: values, out: values, ...pass.norm, rows, columns });
    if (target) await store(values, pass, target);
  },
};

async function sourceRows(pass: RowsPass): Promise<Float32Array<ArrayBuffer>> {
  const { rows, columns, source } = pass;
  const all = source.from instanceof Float32Array ? source.from : await readBuffer(source.from, pass);
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    values.set(all.subarray(r * source.stride, r * source.stride + columns), r * columns);
  }
  return values;
}

async function readBuffer(buffer: XrtBuffer, pass: RowsPass): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sourceBytes(pass));
  await buffer.read(bytes, pass.source.offset);
  switch (pass.source.type) {
    case "f32":
      return new Float32Array(bytes.buffer);
    case "i32":
      return Float32Array.from(new Int32Array(bytes.buffer));
    case "bf16":
      return bf16ToFloat32(new Uint16Array(bytes.buffer));
  }
}

async function store(
  values: Float32Array<ArrayBuffer>,
  { rows, columns }: RowsPass,
  target: RowsTarget,
): Promise<void> {
  const place = <A extends Float32Array | Uint16Array | Int8Array>(codes: A, all: A): A => {
    for (let r = 0; r < rows; r++) {
      all.set(codes.subarray(r * columns, (r + 1) * columns), (target.firstRow + r) * target.stride);
    }
    return all;
  };
  const size = target.rows * target.stride;
  const converted = ():
    | Float32Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Int8Array<ArrayBuffer>
    | Uint8Array<ArrayBuffer> => {
    switch (target.type) {
      case "f32":
        return place(values, new Float32Array(size));
      case "bf16":
        return place(float32ToBf16(values), new Uint16Array(size));
      case "i8": {
        const { codes, scales } = quantizeInt8(values, [rows, columns], { granularity: "row" });
        target.scales!.set(scales);
        return place(codes, new Int8Array(size));
      }
      case "bfp16": {
        const padTo = [target.rows, target.stride] as const;
        return packBfp16(values, bfp16Layout(rows, columns, { order: "dim32", tile: target.tile, padTo }));
      }
    }
  };
  if (target.to instanceof Float32Array) target.to.set(converted() as Float32Array<ArrayBuffer>);
  else await target.to.write(converted(), target.offset);
}
