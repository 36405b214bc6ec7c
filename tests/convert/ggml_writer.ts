/**
 * Writes a checkpoint as whisper.cpp's ggml `.bin`, as its converter and its quantiser do: vectors and positions in F32,
 * everything else in F16, matrices quantised where that is asked for.
 *
 * @module
 */

import type { Checkpoint } from "../../model/checkpoint.ts";
import { GGML_MAGIC } from "../../model/ggml.ts";
import { readFloat32, readTensor } from "../../model/read_tensor.ts";
import type { StoredDtype, StoredTensor } from "../../model/weights.ts";
import type { BlockDtype } from "../../tensor/dequantize.ts";
import { float32ToF16 } from "../../tensor/half.ts";
import { ByteWriter } from "./byte_writer.ts";
import { tokensOfTokenizerJson } from "./gpt2_bytes.ts";
import { allDimensions } from "./openai_pt_writer.ts";
import { quantize } from "./quantize.ts";

/** ggml's numbers of element types, and of the whole file's type. */
const TYPES: Readonly<Record<StoredDtype, { readonly type: number; readonly fileType: number }>> = {
  F32: { type: 0, fileType: 0 },
  F16: { type: 1, fileType: 1 },
  BF16: { type: 30, fileType: 24 }, // only to be refused
  Q4_0: { type: 2, fileType: 2002 },
  Q4_1: { type: 3, fileType: 2003 },
  Q8_0: { type: 8, fileType: 2007 },
  Q5_0: { type: 6, fileType: 2008 },
  Q5_1: { type: 7, fileType: 2009 },
};

/** Options of {@linkcode writeGgml}. */
export interface GgmlOptions {
  /** Type of the matrices; default F16. With F32 everything is F32. */
  readonly dtype?: "F32" | "F16" | BlockDtype;
  /** Tokens by id; default: all that the checkpoint's `tokenizer.json` names, special ones too. */
  readonly tokens?: readonly Uint8Array<ArrayBuffer>[];
  /** F32 [n_mels, 201]; default zeros, which do for readers with filters of their own. */
  readonly melFilters?: Float32Array<ArrayBuffer>;
}

/** The file's bytes. */
export async function writeGgml(
  checkpoint: Checkpoint,
  options: GgmlOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const dims = allDimensions(checkpoint);
  const dtype = options.dtype ?? "F16";
  const filters = options.melFilters ?? new Float32Array(dims.n_mels * 201);
  const tokens = options.tokens ?? ownTokens(checkpoint);

  const out = new ByteWriter().uint32(GGML_MAGIC)
    .int32(dims.n_vocab, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer)
    .int32(dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer, dims.n_mels)
    .int32(TYPES[dtype].fileType)
    .int32(dims.n_mels, 201).bytes(new Uint8Array(filters.buffer))
    .int32(tokens.length);
  for (const token of tokens) out.int32(token.length).bytes(token);

  for (const name of checkpoint.weights.names) {
    const tensor = checkpoint.weights.find(name)!;
    const type = storedType(tensor, dtype);
    const axes = /^encoder\.conv[12]\.bias$/.test(name) ? [...tensor.shape, 1] : tensor.shape;
    out.int32(axes.length, name.length, TYPES[type].type).int32(...axes.toReversed()).text(name)
      .bytes(await convert(tensor, type));
  }
  return out.finish();
}

function storedType({ name, shape }: StoredTensor, dtype: "F32" | "F16" | BlockDtype): StoredDtype {
  if (dtype === "F32" || shape.length < 2 || name.endsWith("positional_embedding")) return "F32";
  return dtype !== "F16" && (shape.length !== 2 || shape[1] % 32 !== 0) ? "F16" : dtype;
}

async function convert(tensor: StoredTensor, type: StoredDtype): Promise<Uint8Array<ArrayBuffer>> {
  if (type === tensor.dtype) return await readTensor(tensor);
  const values = await readFloat32(tensor);
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (type === "F16") return new Uint8Array(float32ToF16(values).buffer);
  return quantize(type as BlockDtype, values);
}

function ownTokens({ vocabulary }: Checkpoint): Uint8Array<ArrayBuffer>[] {
  if (vocabulary?.kind !== "tokenizer.json") {
    throw new TypeError("Cannot convert: give tokens, there is no tokenizer.json");
  }
  return tokensOfTokenizerJson(vocabulary.json);
}
