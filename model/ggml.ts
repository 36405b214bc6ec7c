/**
 * whisper.cpp's ggml files: magic, eleven numbers, mel filters, vocabulary, then the tensors one after the other, all
 * little-endian (whisper.cpp: `whisper_model_load` in `src/whisper.cpp`).
 *
 * @module
 */

import { dirname } from "node:path";
import { SottoError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { checkDimensions } from "./check_dimensions.ts";
import { storedBytes } from "./checked_size.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Dimensions } from "./dimensions.ts";
import { HeaderReader } from "./header_reader.ts";
import { fileVocabulary } from "./vocabulary_source.ts";
import type { StoredDtype, StoredTensor } from "./weights.ts";
import { wholeWeights } from "./whole_weights.ts";

/** `ggml` as the bytes of a little-endian number. */
export const GGML_MAGIC = 0x67676d6c;

/** The dimensions in the order of the file. */
const HPARAMS: readonly (keyof Dimensions)[] = [
  "n_vocab",
  "n_audio_ctx",
  "n_audio_state",
  "n_audio_head",
  "n_audio_layer",
  "n_text_ctx",
  "n_text_state",
  "n_text_head",
  "n_text_layer",
  "n_mels",
];

/** ggml's numbers of the element types that are read. */
const DTYPES: ReadonlyMap<number, StoredDtype> = new Map([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [8, "Q8_0"],
]);

/** `ftype` holds the version of the quantised layouts in its thousands (ggml: `GGML_QNT_VERSION_FACTOR`). */
const QUANTIZATION_VERSION_FACTOR = 1000;
/** The version whose layouts `BLOCK_SIZES` states; earlier ones had F32 scales and another order. */
const QUANTIZATION_VERSION = 2;

/** Bins of a mel filter: half a 400-point FFT and one. */
const FILTER_BINS = 201;

/** Longest token, in bytes; the longest of Whisper's has 256. */
const MAX_TOKEN_BYTES = 1024;
/** Longest name of a tensor, in bytes. */
const MAX_NAME_BYTES = 128;
/** Most tensors; large-v3 has 1,259. */
const MAX_TENSORS = 10_000;

/** The tensors that a ggml file stores as [n, 1]. */
const COLUMN_BIASES: ReadonlySet<string> = new Set(["encoder.conv1.bias", "encoder.conv2.bias"]);

/**
 * Opens a ggml file.
 *
 * @throws {SottoError} E_MODEL_FORMAT if it breaks the format; E_MODEL_MISMATCH if it is not a whole Whisper.
 */
export async function openGgml(source: ByteSource): Promise<Checkpoint> {
  const refuse = (rule: string, hint = "The file is cut, damaged, or not whisper.cpp's."): SottoError =>
    new SottoError("E_MODEL_FORMAT", `Cannot read ${source.name} as ggml: ${rule}`, { hint });

  const reader = new HeaderReader(source);
  if (await reader.int32() !== GGML_MAGIC) throw refuse("it must begin with the magic number of ggml");
  const hparams = await reader.int32s(HPARAMS.length);
  const dims = checkDimensions(Object.fromEntries(HPARAMS.map((key, i) => [key, hparams[i]])), source.name);
  const { n_mels } = dims.encoder;
  const { n_vocab } = dims.decoder!;
  checkFileType(await reader.int32(), refuse);

  const [bands, bins] = await reader.int32s(2);
  if (bands !== n_mels || bins !== FILTER_BINS) {
    throw refuse(`mel filters must be ${n_mels} × ${FILTER_BINS}, got ${bands} × ${bins}`);
  }
  reader.skip(bands * bins * 4); // sotto computes its own

  const tokens = await readTokens(reader, n_vocab, refuse);
  const tensors: StoredTensor[] = [];
  while (!reader.atEnd) {
    if (tensors.length === MAX_TENSORS) throw refuse(`at most ${MAX_TENSORS} tensors`);
    tensors.push(await readTensorHeader(reader, source, refuse));
  }
  const weights = wholeWeights(tensors, dims, source.name);
  const path = source.file.path;
  const own = { kind: "ggml", path: source.name, tokens } as const;
  const vocabulary = await fileVocabulary(path === undefined ? null : dirname(path), own, n_vocab);
  return { name: source.name, format: "ggml", dims, weights, vocabulary, generation: null };
}

type Refuse = (rule: string, hint?: string) => SottoError;

/** The file's overall type: 0 is F32, 1 F16, larger ones are quantised in some version. */
function checkFileType(fileType: number, refuse: Refuse): void {
  const version = Math.floor(fileType / QUANTIZATION_VERSION_FACTOR);
  if (fileType % QUANTIZATION_VERSION_FACTOR > 1 && version !== QUANTIZATION_VERSION) {
    throw refuse(
      `ftype ${fileType} must be quantised in version ${QUANTIZATION_VERSION}, got ${version}`,
      "Quantise the original again with a whisper.cpp of May 2023 or later.",
    );
  }
}

/** @returns The tokens by id; most files leave the special ones at the end out. */
async function readTokens(
  reader: HeaderReader,
  vocabularySize: number,
  refuse: Refuse,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const count = await reader.int32();
  if (count < 1 || count > vocabularySize) {
    throw new SottoError(
      "E_TOKENIZER",
      refuse(`the vocabulary must have 1 to ${vocabularySize} tokens, got ${count}`).message,
    );
  }
  const tokens: Uint8Array<ArrayBuffer>[] = [];
  for (let id = 0; id < count; id++) {
    const length = await reader.int32();
    if (length < 0 || length > MAX_TOKEN_BYTES) {
      throw refuse(`token ${id} may have ${MAX_TOKEN_BYTES} bytes, got ${length}`);
    }
    tokens.push(await reader.bytes(length));
  }
  return tokens;
}

/** Reads one tensor's header and passes over its data. */
async function readTensorHeader(
  reader: HeaderReader,
  source: ByteSource,
  refuse: Refuse,
): Promise<StoredTensor> {
  const [rank, nameBytes, type] = await reader.int32s(3);
  if (rank < 1 || rank > 4) throw refuse(`n_dims must be 1 to 4, got ${rank}`);
  if (nameBytes < 1 || nameBytes > MAX_NAME_BYTES) {
    throw refuse(`a tensor's name must have 1 to ${MAX_NAME_BYTES} bytes, got ${nameBytes}`);
  }
  const axes = (await reader.int32s(rank)).reverse(); // ggml states the contiguous axis first
  const name = new TextDecoder().decode(await reader.bytes(nameBytes));
  const dtype = DTYPES.get(type);
  if (!dtype) {
    throw refuse(
      `tensor ${JSON.stringify(name)} is of ggml type ${type}; types ${[...DTYPES.keys()]} are read`,
      `Those are ${[...DTYPES.values()].join(", ")}: convert or quantise to one of them.`,
    );
  }
  const byteLength = storedBytes(dtype, axes);
  if (byteLength === null || axes.some((axis) => axis < 1)) {
    throw refuse(
      `shape [${axes}] of tensor ${JSON.stringify(name)} overflows, is empty, or has no whole blocks`,
    );
  }
  const byteOffset = reader.offset;
  if (byteOffset + byteLength > source.size) {
    throw refuse(
      `tensor ${JSON.stringify(name)} ends at byte ${byteOffset + byteLength}, the file at ${source.size}`,
    );
  }
  reader.skip(byteLength);
  const shape = COLUMN_BIASES.has(name) && axes.length === 2 ? axes.filter((axis) => axis !== 1) : axes;
  return { name, dtype, shape, file: source.file, byteOffset, byteLength };
}
