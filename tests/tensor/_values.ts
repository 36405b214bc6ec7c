/**
 * F32 to convert: ordinary ones, and any bits at all.
 *
 * @module
 */

import { Random } from "../kernels/_random.ts";

/** Any bits of F32: NaN, infinities and subnormals among them. */
export function anyBits(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  const bits = Uint32Array.from({ length }, () => (random.next() + 1) * 2 ** 31);
  return new Float32Array(bits.buffer);
}

/** Values in ±1 with some zeros, small and large ones among them. */
export function mixedValues(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  const scales = [1, 1, 1, 1, 0, -0, 1e-3, 100, 1e-30, 2 ** -140];
  return Float32Array.from({ length }, () => random.next() * scales[Math.floor((random.next() + 1) * 4.999)]);
}

/** Uniform in ±1. */
export function uniformValues(length: number, seed: number): Float32Array<ArrayBuffer> {
  return new Random(seed).array(length);
}

/** The bits of F32 values, for comparing NaN and −0 as well. */
export function bitsOf(values: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
