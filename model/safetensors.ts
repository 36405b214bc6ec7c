/**
 * safetensors files: eight bytes of header length, a JSON header, then the tensors without gaps (format:
 * https://github.com/huggingface/safetensors#format).
 *
 * Everything the format promises is checked before anything is allocated by it: the header's length, its keys,
 * each shape and range, and that the ranges tile the data exactly. A tensor whose offset is not a multiple of its
 * element size is not refused; readers copy such ranges.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { openByteSource } from "./byte_source.ts";
import { storedBytes } from "./checked_size.ts";
import { isJsonObject, parseStrictJson } from "./strict_json.ts";
import type { StoredDtype, StoredTensor, TensorFile } from "./weights.ts";

/** Longest header accepted, in bytes: the limit of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;

const LENGTH_BYTES = 8;

const DTYPES: ReadonlySet<string> = new Set<StoredDtype>(["F32", "F16", "BF16"]);

/** The format's other types: `F64`, `I8`, `U16`, `BOOL`, `F8_E4M3` and so on. */
const OTHER_DTYPE = /^(BOOL|C64|[FIU]\d{1,2}(_\w+)?)$/;

/**
 * The tensors of a safetensors file, under the file's own names and in the order of their bytes.
 *
 * @throws {SottoError} E_MODEL_FORMAT if the file breaks the format; E_MODEL_MISMATCH if it stores another type than
 * F32, F16 and BF16; E_MODEL_NOT_FOUND, E_PERMISSION or E_INPUT if it cannot be read.
 */
export async function readSafetensors(file: TensorFile): Promise<StoredTensor[]> {
  using source = await openByteSource(file);
  const refuse = (rule: string): SottoError =>
    new SottoError("E_MODEL_FORMAT", `Cannot read ${source.name} as safetensors: ${rule}`, {
      hint: "The file is cut, damaged, or of another format: fetch it again.",
    });

  if (source.size < LENGTH_BYTES) throw refuse(`need at least ${LENGTH_BYTES} bytes, got ${source.size}`);
  const length = new DataView((await source.read(0, LENGTH_BYTES)).buffer).getBigUint64(0, true);
  if (length > BigInt(source.size - LENGTH_BYTES) || length > MAX_HEADER_BYTES) {
    throw refuse(
      `the header says ${length} bytes (at most ${MAX_HEADER_BYTES}), the file has ${source.size}`,
    );
  }
  const headerBytes = await source.read(LENGTH_BYTES, Number(length));
  if (headerBytes[0] !== 0x7b) throw refuse(`the header must begin with "{"`);
  const header = parseStrictJson(headerBytes, `the header of ${source.name}`);
  if (!isJsonObject(header)) throw refuse("the header must be a JSON object");

  const dataStart = LENGTH_BYTES + Number(length);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => parseEntry(name, entry, dataStart, file, refuse))
    // An empty tensor shares its offset with the next one and comes before it.
    .sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);

  let end = dataStart;
  for (const { name, byteOffset, byteLength } of tensors) {
    if (byteOffset !== end) {
      const fault = byteOffset < end ? "overlaps the one before" : "leaves a hole before it";
      throw refuse(`range of tensor ${quote(name)} ${fault}: begins at ${byteOffset}, expected ${end}`);
    }
    end += byteLength;
  }
  if (end !== source.size) throw refuse(`tensor ranges end at byte ${end}, the file at ${source.size}`);
  return tensors;
}

function parseEntry(
  name: string,
  entry: unknown,
  dataStart: number,
  file: TensorFile,
  refuse: (rule: string) => SottoError,
): StoredTensor {
  if (!isJsonObject(entry)) throw refuse(`tensor ${quote(name)} must be an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !DTYPES.has(dtype)) {
    const rule = `tensor ${quote(name)} must be F32, F16 or BF16, got ${quote(dtype)}`;
    if (typeof dtype !== "string" || !OTHER_DTYPE.test(dtype)) throw refuse(rule);
    throw new SottoError("E_MODEL_MISMATCH", `Cannot use this checkpoint: ${rule}`, {
      hint: "Quantised safetensors are not read: use the original, or a quantised ggml file.",
    });
  }
  if (!Array.isArray(shape)) throw refuse(`tensor ${quote(name)} must have a shape, got ${quote(shape)}`);
  const size = storedBytes(dtype as StoredDtype, shape);
  if (size === null) {
    throw refuse(`shape of tensor ${quote(name)} overflows or is not made of counts: ${quote(shape)}`);
  }
  if (
    !Array.isArray(offsets) || offsets.length !== 2 ||
    !offsets.every((n) => Number.isSafeInteger(n) && n >= 0)
  ) {
    throw refuse(`tensor ${quote(name)} must have a range of two offsets, got ${quote(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== size) {
    throw refuse(
      `range of tensor ${quote(name)} must be ${size} bytes for its type and shape, got ${begin} to ${end}`,
    );
  }
  return { name, dtype: dtype as StoredDtype, shape, file, byteOffset: dataStart + begin, byteLength: size };
}

/** A value from the file, short enough for a message. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
