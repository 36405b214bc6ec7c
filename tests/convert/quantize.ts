/**
 * F32 to ggml's blocks of 32, by the plain rule of each type: the scale that just covers the block.
 *
 * @module
 */

import { BLOCK_SIZES } from "../../model/weights.ts";
import type { BlockDtype } from "../../tensor/dequantize.ts";
import { float32ToF16 } from "../../tensor/half.ts";

const BLOCK = 32;

/** Bits of a code, and whether a block stores its minimum. */
const RULES: Readonly<Record<BlockDtype, { readonly bits: number; readonly minimum: boolean }>> = {
  Q8_0: { bits: 8, minimum: false },
  Q5_0: { bits: 5, minimum: false },
  Q5_1: { bits: 5, minimum: true },
  Q4_0: { bits: 4, minimum: false },
  Q4_1: { bits: 4, minimum: true },
};

/** Quantises values, a multiple of 32 of them. */
export function quantize(dtype: BlockDtype, values: Float32Array): Uint8Array<ArrayBuffer> {
  const blockBytes = BLOCK_SIZES[dtype][1];
  const bytes = new Uint8Array((values.length / BLOCK) * blockBytes);
  for (let block = 0; block * BLOCK < values.length; block++) {
    const out = new DataView(bytes.buffer, block * blockBytes, blockBytes);
    quantizeBlock(dtype, values.subarray(block * BLOCK, (block + 1) * BLOCK), out);
  }
  return bytes;
}

function quantizeBlock(dtype: BlockDtype, x: Float32Array, out: DataView): void {
  const { bits, minimum } = RULES[dtype];
  const lowest = Math.min(...x);
  const highest = Math.max(...x);
  // Without a minimum the code range is lopsided (−16…15): the value of largest magnitude takes its long end.
  const extreme = -lowest > highest ? lowest : highest;
  const levels = (1 << bits) - 1;
  const scale = dtype === "Q8_0"
    ? Math.abs(extreme) / 127
    : minimum
    ? (highest - lowest) / levels
    : extreme / -(1 << (bits - 1));
  const zero = dtype === "Q8_0" || minimum ? 0 : 1 << (bits - 1);
  const base = minimum ? lowest : 0;
  const code = (value: number): number => {
    const exact = scale === 0 ? 0 : (value - base) / scale;
    if (dtype === "Q8_0") return Math.round(exact);
    return Math.max(0, Math.min(levels, Math.floor(exact + zero + 0.5)));
  };

  let at = 0;
  const half = (value: number): void => {
    out.setUint16(at, float32ToF16(Float32Array.of(value))[0], true);
    at += 2;
  };
  half(scale);
  if (dtype === "Q8_0") {
    for (let j = 0; j < BLOCK; j++) out.setInt8(at + j, code(x[j]));
    return;
  }
  if (minimum) half(lowest);
  const codes = Array.from(x, code);
  if (bits === 5) {
    out.setUint32(at, codes.reduce((fifths, value, j) => fifths + (value >> 4) * 2 ** j, 0), true);
    at += 4;
  }
  for (let j = 0; j < BLOCK / 2; j++) out.setUint8(at + j, (codes[j] & 15) | ((codes[j + 16] & 15) << 4));
}
