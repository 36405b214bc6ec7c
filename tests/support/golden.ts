/**
 * Reads the tensors that reference results are kept in (`golden/`, `parity/`): safetensors with F32, F16 and
 * I64. Separate from the reader under test, and without its checks.
 *
 * @module
 */

import { f16ToFloat32 } from "../../tensor/half.ts";

/** All tensors of a safetensors file by name, as numbers; integers too. */
export async function readGolden(path: string): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  const bytes = await Deno.readFile(path);
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  const tensors: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, data_offsets: [begin, end] } = entry as { dtype: string; data_offsets: [number, number] };
    const data = bytes.slice(8 + headerLength + begin, 8 + headerLength + end).buffer;
    if (dtype === "F32") tensors[name] = new Float32Array(data);
    else if (dtype === "F16") tensors[name] = f16ToFloat32(new Uint16Array(data));
    else if (dtype === "I64") tensors[name] = Float32Array.from(new BigInt64Array(data), Number);
    else throw new Error(`${path}: no reader for ${dtype}`);
  }
  return tensors;
}

/** ‖actual − expected‖ / ‖expected‖, the measure of all parity tests. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
