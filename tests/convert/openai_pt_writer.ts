/**
 * Writes a checkpoint as openai-whisper's `.pt`: what torch.save makes of `{dims, model_state_dict}`.
 *
 * @module
 */

import type { Checkpoint } from "../../model/checkpoint.ts";
import type { Dimensions } from "../../model/dimensions.ts";
import { readTensor } from "../../model/read_tensor.ts";
import { ByteWriter } from "./byte_writer.ts";
import { type NewZipEntry, writeZip } from "./zip_writer.ts";

const STORAGE_TYPES: Readonly<Record<string, string>> = {
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
};

/** Just enough of pickle protocol 2. Nothing is memoised: Python reads that as well. */
class PickleWriter {
  readonly #out = new ByteWriter().uint8(0x80, 2);

  raw(opcode: string): this {
    this.#out.text(opcode);
    return this;
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    this.#out.text("X").uint32(bytes.length).bytes(bytes);
    return this;
  }

  count(value: number): this {
    this.#out.text("J").int32(value);
    return this;
  }

  global(module: string, name: string): this {
    return this.raw(`c${module}\n${name}\n`);
  }

  counts(values: readonly number[]): this {
    this.raw("(");
    for (const value of values) this.count(value);
    return this.raw("t");
  }

  emptyOrderedDict(): this {
    return this.global("collections", "OrderedDict").raw(")R");
  }

  false(): this {
    this.#out.uint8(0x89);
    return this;
  }

  persistentId(): this {
    return this.raw("Q");
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#out.text(".").finish();
  }
}

/** The ten dimensions of a checkpoint that has a decoder. */
export function allDimensions({ dims: { encoder, decoder } }: Checkpoint): Dimensions {
  if (!decoder) throw new TypeError("Cannot convert an encoder without its decoder");
  return { ...encoder, ...decoder };
}

/** The `.pt` file's bytes. Tensors keep their types, which must be F32, F16 or BF16. */
export async function writeOpenaiPt(
  checkpoint: Checkpoint,
  { zip64 = false }: { readonly zip64?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const pickle = new PickleWriter().raw("}(").text("dims").raw("}(");
  for (const [name, value] of Object.entries(allDimensions(checkpoint))) pickle.text(name).count(value);
  pickle.raw("u").text("model_state_dict").emptyOrderedDict().raw("(");

  const storages: NewZipEntry[] = [];
  for (const name of checkpoint.weights.names) {
    const tensor = checkpoint.weights.find(name)!;
    const key = String(storages.length);
    storages.push({ name: `archive/data/${key}`, bytes: await readTensor(tensor) });
    const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const elements = tensor.shape.reduce((a, b) => a * b, 1);
    pickle.text(name).global("torch._utils", "_rebuild_tensor_v2").raw("(")
      .raw("(").text("storage").global("torch", STORAGE_TYPES[tensor.dtype]).text(key).text("cpu").count(
        elements,
      )
      .raw("t").persistentId()
      .count(0).counts(tensor.shape).counts(strides).false().emptyOrderedDict()
      .raw("tR");
  }
  pickle.raw("uu");

  const text = (name: string, content: string): NewZipEntry => ({
    name,
    bytes: new TextEncoder().encode(content),
  });
  return writeZip([
    { name: "archive/data.pkl", bytes: pickle.finish() },
    text("archive/byteorder", "little"),
    ...storages,
    text("archive/version", "3\n"),
  ], { zip64 });
}
