import assert from "node:assert/strict";
import { openByteSource } from "../../model/byte_source.ts";
import { openCheckpoint } from "../../model/open.ts";
import { openOpenaiPt } from "../../model/openai_pt.ts";
import { readFloat32, readTensor } from "../../model/read_tensor.ts";
import { readZipDirectory } from "../../model/zip.ts";
import { ByteWriter } from "../convert/byte_writer.ts";
import { type NewZipEntry, writeZip } from "../convert/zip_writer.ts";
import { writeOpenaiPt } from "../convert/openai_pt_writer.ts";
import { DEMO, inFolder, put, refused, TORCH_TINY } from "./support.ts";

const text = (name: string, content: string): NewZipEntry => ({
  name,
  bytes: new TextEncoder().encode(content),
});

async function openBytes(bytes: Uint8Array<ArrayBuffer>) {
  using source = await openByteSource({ bytes });
  return await openOpenaiPt(source);
}

async function zipNames(bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
  using source = await openByteSource({ bytes });
  return [...(await readZipDirectory(source)).keys()];
}

Deno.test("openCheckpoint() reads what torch saved, value by value", async () => {
  const { format, dims, weights, vocabulary } = await openCheckpoint(TORCH_TINY);
  assert.equal(format, "openai");
  assert.deepEqual(dims, {
    encoder: { n_mels: 80, n_audio_ctx: 6, n_audio_state: 4, n_audio_head: 2, n_audio_layer: 1 },
    decoder: { n_audio_ctx: 6, n_vocab: 8, n_text_ctx: 5, n_text_state: 4, n_text_head: 1, n_text_layer: 1 },
  });
  assert.equal(vocabulary?.kind, "tokenizer.json");
  assert.equal(weights.names.length, 50);

  // The file was filled so: element i of the t-th tensor of the state dict is ((7 i + t) mod 257 − 128) / 64.
  const seen = new Set<number>();
  for (const name of weights.names) {
    const values = await readFloat32(weights.find(name)!);
    const t = (values[0] * 64 + 128 + 257) % 257;
    seen.add(t);
    for (let i = 0; i < values.length; i++) {
      assert.equal(values[i], ((7 * i + t) % 257 - 128) / 64, `${name} ${i}`);
    }
  }
  assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: 50 }, (_, t) => t));
  assert.deepEqual(
    ["encoder.conv1.weight", "decoder.ln.weight", "decoder.ln.bias"].map((name) => weights.find(name)!.dtype),
    ["F16", "F32", "BF16"],
  );
});

Deno.test("openCheckpoint() reads our .pt of the demo model as the folder it was made from, ZIP64 too", async () => {
  const original = await openCheckpoint(DEMO);
  for (const zip64 of [false, true]) {
    await inFolder(async (folder) => {
      const path = await put(folder, "demo.pt", await writeOpenaiPt(original, { zip64 }));
      await Deno.copyFile(`${DEMO}/tokenizer.json`, `${folder}/tokenizer.json`);
      const copy = await openCheckpoint(path);
      assert.deepEqual(copy.dims, original.dims);
      assert.deepEqual(copy.weights.names, original.weights.names);
      for (const name of original.weights.names) {
        const [a, b] = [original.weights.find(name)!, copy.weights.find(name)!];
        assert.deepEqual([b.dtype, b.shape], [a.dtype, a.shape]);
        assert.deepEqual(await readTensor(b), await readTensor(a));
      }
    });
  }
});

Deno.test("openCheckpoint() needs a vocabulary for a .pt of unusual size, and passes over one that does not fit", async () => {
  const bytes = await writeOpenaiPt(await openCheckpoint(DEMO));
  const error = await refused(
    openBytes(bytes),
    "E_TOKENIZER",
    /vocabulary of 2370 tokens: the bundled ones have 51864/,
  );
  assert.match(error.hint, /tokenizer\.json/);
  await inFolder(async (folder) => {
    const path = await put(folder, "demo.pt", bytes);
    await put(folder, "tokenizer.json", JSON.stringify({ model: { vocab: { a: 0 } }, added_tokens: [] }));
    await refused(openCheckpoint(path), "E_TOKENIZER", /vocabulary of 2370/);
  });
});

/** What torch.save would pickle for one tensor, with parts replaced. */
function pickleOf(
  parts: {
    storage?: string;
    shape?: number[];
    strides?: number[];
    offset?: number;
    elements?: number;
    tail?: string;
  },
) {
  const { storage = "ctorch\nFloatStorage\n", shape = [2, 3], strides = [3, 1], offset = 0, elements = 6 } =
    parts;
  const pickle = new ByteWriter().uint8(0x80, 2);
  const word = (value: string) => pickle.text("X").uint32(value.length).text(value);
  const counts = (values: number[]) => {
    pickle.text("(");
    for (const value of values) pickle.text("J").int32(value);
    pickle.text("t");
  };
  pickle.text("}(");
  word("dims").text("}");
  word("model_state_dict").text("ccollections\nOrderedDict\n)R");
  word("x").text("ctorch._utils\n_rebuild_tensor_v2\n((");
  word("storage").text(storage);
  word("0");
  word("cpu").text("J").int32(elements).text("tQJ").int32(offset);
  counts(shape);
  counts(strides);
  return pickle.uint8(0x89).text("ccollections\nOrderedDict\n)RtRs").text(parts.tail ?? "u.").finish();
}

const archive = (pickle: Uint8Array<ArrayBuffer>, ...more: NewZipEntry[]) =>
  openBytes(
    writeZip([
      { name: "a/data.pkl", bytes: pickle },
      { name: "a/data/0", bytes: new Uint8Array(24) },
      ...more,
    ]),
  );

Deno.test("openOpenaiPt() refuses tensors that leave their storage, are not row-major, or lie about sizes", async () => {
  // Parsed whole, the file fails for its empty dims alone: the parts below fail before that.
  await refused(archive(pickleOf({})), "E_MODEL_FORMAT", /n_mels must be 80 to 128, got none/);
  const cases: [Parameters<typeof pickleOf>[0], RegExp][] = [
    [{ shape: [3, 3], strides: [3, 1] }, /9 elements from 0 on leaves its storage of 6/],
    [{ offset: 1 }, /6 elements from 1 on leaves/],
    [{ offset: -1 }, /must have a storage/],
    [{ strides: [1, 2] }, /row-major, got strides \[1,2\]/],
    [{ strides: [0, 0] }, /row-major/],
    [{ strides: [3] }, /must have a storage, an offset, a shape and strides/],
    [{ shape: [-2, 3] }, /overflows or is not made of counts/],
    [{ shape: Array(40).fill(2 ** 30), strides: Array(40).fill(1) }, /overflows/],
    [{ elements: 7 }, /says 7 elements of F32, it has 24 bytes/],
    [{ storage: "ctorch\nHalfStorage\n" }, /says 6 elements of F16, it has 24 bytes/],
    [{ storage: "ctorch\nLongStorage\n" }, /names "torch\.LongStorage", which is not allowed/],
    [{ storage: "ccollections\nOrderedDict\n" }, /must hold float32, float16 or bfloat16/],
    [{ tail: "" }, /cut/],
  ];
  for (const [parts, message] of cases) await refused(archive(pickleOf(parts)), "E_MODEL_FORMAT", message);
});

Deno.test("openOpenaiPt() refuses what is no checkpoint of openai-whisper", async () => {
  const pickled = (body: string) => new ByteWriter().uint8(0x80, 2).text(body).finish();
  await refused(archive(pickled("}.")), "E_MODEL_FORMAT", /must hold dims and model_state_dict/);
  await refused(archive(pickled("N.")), "E_MODEL_FORMAT", /must hold dims/);
  await refused(
    archive(pickleOf({}), text("a/byteorder", "big")),
    "E_MODEL_FORMAT",
    /little-endian, got "big"/,
  );
  await refused(openBytes(writeZip([text("x/readme", "hi")])), "E_MODEL_FORMAT", /holds no data\.pkl/);
  await refused(
    openBytes(writeZip([{ name: "a/data.pkl", bytes: pickleOf({}) }])),
    "E_MODEL_FORMAT",
    /no storage "0"/,
  );
});

Deno.test("readZipDirectory() reads stored entries with and without ZIP64", async () => {
  const entries = [text("a", "one"), text("b/c", ""), text("d", "x".repeat(1000))];
  for (const zip64 of [false, true]) {
    assert.deepEqual(await zipNames(writeZip(entries, { zip64 })), ["a", "b/c", "d"]);
  }
  const commented = new ByteWriter().bytes(writeZip(entries)).text("PK\x05\x06 is in this comment").finish();
  const comment = new TextEncoder().encode("PK\x05\x06 is in this comment").length;
  new DataView(commented.buffer).setUint16(commented.length - comment - 2, comment, true);
  assert.deepEqual(await zipNames(commented), ["a", "b/c", "d"]);
});

Deno.test("readZipDirectory() refuses archives that are cut, compressed, encrypted, or contradict themselves", async () => {
  const zip = writeZip([text("a", "one"), text("b", "two")]);
  const directory = new DataView(zip.buffer).getUint32(zip.length - 22 + 16, true);
  /** The archive with numbers of that many bytes set at those places, relative to the directory or (negative) the end. */
  const changed = (...edits: [at: number, bytes: 2 | 4, value: number][]) => {
    const copy = zip.slice();
    const view = new DataView(copy.buffer);
    for (const [at, bytes, value] of edits) {
      const place = at < 0 ? copy.length + at : directory + at;
      if (bytes === 2) view.setUint16(place, value, true);
      else view.setUint32(place, value, true);
    }
    return copy;
  };
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [zip.slice(0, -1), /no end record/],
    [zip.slice(0, 10), /no end record/],
    [new Uint8Array(0), /no end record/],
    [changed([10, 2, 8]), /"a" must be stored, it is compressed by method 8/],
    [changed([8, 2, 1]), /"a" is encrypted/],
    [changed([20, 4, 2]), /two sizes/],
    [changed([20, 4, 1e6], [24, 4, 1e6]), /"a" ends past the data/],
    [changed([42, 4, 1e6]), /"a" begins past the data/],
    [changed([42, 4, 1]), /"a" has no local header/],
    [changed([20, 4, 0xffffffff], [24, 4, 0xffffffff]), /lacks its ZIP64 sizes/],
    [changed([28, 2, 0xffff]), /entry 0 of its directory is damaged/],
    [changed([0, 4, 0]), /entry 0 of its directory is damaged/],
    [changed([-22 + 10, 2, 3]), /entry 2 of its directory is damaged/],
    [changed([-22 + 12, 4, 0x7fffffff]), /directory of at most/],
    [changed([-22 + 16, 4, 0x7fffffff]), /directory ends at byte/],
    [writeZip([text("a", "one"), text("a", "two")]), /two entries are called "a"/],
  ];
  for (const [bytes, message] of cases) await refused(zipNames(bytes), "E_MODEL_FORMAT", message);

  const overlap = zip.slice();
  const second = directory + 46 + 1;
  overlap.copyWithin(second + 42, directory + 42, directory + 46);
  await refused(zipNames(overlap), "E_MODEL_FORMAT", /overlaps another/);
});
