import assert from "node:assert/strict";
import { join } from "node:path";
import { readFloat32 } from "../../model/read_tensor.ts";
import { readSafetensors } from "../../model/safetensors.ts";
import { readShards } from "../../model/safetensors_index.ts";
import { inFolder, put, refused, safetensorsFile } from "./support.ts";

const read = (header: unknown, dataBytes = 0, headerLength?: bigint) =>
  readSafetensors({ bytes: safetensorsFile(header, dataBytes, headerLength) });
const tensor = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

Deno.test("readSafetensors() finds types, shapes and ranges in the order of the bytes", async () => {
  const header = {
    __metadata__: { format: "pt" },
    b: tensor("F16", [2, 3], 8, 20),
    a: tensor("F32", [2], 0, 8),
    c: tensor("BF16", [], 20, 22),
  };
  const tensors = await read(header, 22);
  const start = 8 + JSON.stringify(header).length;
  assert.deepEqual(
    tensors.map((
      { name, dtype, shape, byteOffset, byteLength },
    ) => [name, dtype, shape, byteOffset, byteLength]),
    [
      ["a", "F32", [2], start, 8],
      ["b", "F16", [2, 3], start + 8, 12],
      ["c", "BF16", [], start + 20, 2],
    ],
  );
});

Deno.test("readSafetensors() accepts empty tensors and an empty file", async () => {
  assert.equal((await read({ a: tensor("F32", [0, 5], 0, 0), b: tensor("F32", [1], 0, 4) }, 4)).length, 2);
  assert.equal((await read({})).length, 0);
});

Deno.test("readFloat32() reads a misaligned range right", async () => {
  const bytes = safetensorsFile({ a: tensor("F16", [1], 0, 2), b: tensor("F32", [2], 2, 10) }, 10);
  const view = new DataView(bytes.buffer, bytes.length - 10);
  view.setUint16(0, 0x3c00, true);
  view.setFloat32(2, -2.5, true);
  view.setFloat32(6, 1e-9, true);
  const [a, b] = await readSafetensors({ bytes });
  assert.deepEqual([...await readFloat32(a), ...await readFloat32(b)], [1, -2.5, Math.fround(1e-9)]);
});

Deno.test("readSafetensors() refuses a header longer than the file or than 100 MB, before allocating", async () => {
  await refused(readSafetensors({ bytes: new Uint8Array(7) }), "E_MODEL_FORMAT", /at least 8 bytes, got 7/);
  await refused(read("{}", 0, 2n ** 40n), "E_MODEL_FORMAT", /says 1099511627776 bytes .* file has 10/);
  await refused(read("{}", 0, 2n ** 64n - 1n), "E_MODEL_FORMAT", /18446744073709551615/);
  await refused(read("{}", 0, 3n), "E_MODEL_FORMAT", /says 3 bytes/);
  await inFolder(async (folder) => {
    // A sparse file of 200 MB whose header says it takes 150 MB.
    const path = await put(folder, "sparse", safetensorsFile("{", 0, 150_000_000n));
    await Deno.truncate(path, 200_000_000);
    await refused(readSafetensors({ path }), "E_MODEL_FORMAT", /150000000 bytes \(at most 100000000\)/);
  });
});

Deno.test("readSafetensors() refuses a header that is not a JSON object in UTF-8", async () => {
  await refused(read("[]"), "E_MODEL_FORMAT", /begin with "\{"/);
  await refused(read(" {}"), "E_MODEL_FORMAT", /begin with "\{"/);
  await refused(read('{"a":'), "E_MODEL_FORMAT", /not JSON/);
  await refused(read("{}{}"), "E_MODEL_FORMAT", /not JSON/);
  const bytes = safetensorsFile('{"a":1}');
  bytes[10] = 0xff;
  await refused(readSafetensors({ bytes }), "E_MODEL_FORMAT", /not UTF-8/);
});

Deno.test("readSafetensors() refuses duplicate names, escaped ones too, and deep nesting", async () => {
  const one = JSON.stringify(tensor("F32", [1], 0, 4));
  await refused(read(`{"x":${one},"x":${one}}`, 4), "E_MODEL_FORMAT", /duplicate key "x"/);
  await refused(read(`{"x":${one},"\\u0078":${one}}`, 4), "E_MODEL_FORMAT", /duplicate key "x"/);
  await refused(read(`{"x":{"dtype":"F32","dtype":"F16"}}`), "E_MODEL_FORMAT", /duplicate key "dtype"/);
  await refused(read(`{"x":${"[".repeat(1e6)}`), "E_MODEL_FORMAT", /deeper than 64/);
});

Deno.test("readSafetensors() refuses shapes that overflow or are not counts", async () => {
  const shapes = [
    [2 ** 32, 2 ** 32],
    [2 ** 53],
    [2 ** 31, 2 ** 31, 0],
    [-1],
    [1.5],
    ["1"],
    [null],
    [1e300, 1e300],
    "4",
    null,
  ];
  for (const shape of shapes) {
    await refused(read({ x: tensor("F32", shape, 0, 4) }, 4), "E_MODEL_FORMAT", /tensor "x"/);
  }
});

Deno.test("readSafetensors() refuses ranges that overlap, leave holes, pass the end, or do not fit the shape", async () => {
  const a = tensor("F32", [2], 0, 8);
  const cases: [unknown, number, RegExp][] = [
    [{ a, b: tensor("F32", [1], 4, 8) }, 8, /"b" overlaps/],
    [{ a, b: tensor("F32", [1], 0, 4) }, 8, /overlaps/],
    [{ a, b: tensor("F32", [1], 12, 16) }, 16, /"b" leaves a hole/],
    [{ b: tensor("F32", [1], 4, 8) }, 8, /"b" leaves a hole/],
    [{ a }, 4, /end at byte .* the file at/],
    [{ a }, 12, /end at byte .* the file at/],
    [{ a: tensor("F32", [2], 8, 0) }, 8, /"a" must be 8 bytes/],
    [{ a: tensor("F32", [2], 0, 7) }, 7, /"a" must be 8 bytes/],
    [{ a: tensor("F32", [0], 0, 8) }, 8, /"a" must be 0 bytes/],
    [{ a: { ...a, data_offsets: [0.5, 8.5] } }, 8, /two offsets/],
    [{ a: { ...a, data_offsets: [0, 8, 8] } }, 8, /two offsets/],
    [{ a: { ...a, data_offsets: [-8, 0] } }, 8, /two offsets/],
    [{ a: { ...a, data_offsets: null } }, 8, /two offsets/],
    [{ a: tensor("X64", [1], 0, 8) }, 8, /F32, F16 or BF16, got "X64"/],
    [{ a: 5 }, 0, /"a" must be an object/],
  ];
  for (const [header, dataBytes, message] of cases) {
    await refused(read(header, dataBytes), "E_MODEL_FORMAT", message);
  }
});

Deno.test("readSafetensors() refuses the format's other types as no Whisper's", async () => {
  for (const dtype of ["I64", "U8", "BOOL", "F8_E4M3"]) {
    await refused(read({ a: tensor(dtype, [1], 0, 8) }, 8), "E_MODEL_MISMATCH", /F32, F16 or BF16/);
  }
});

Deno.test("readShards() joins the files of an index and refuses what disagrees with it", async () => {
  await inFolder(async (folder) => {
    const shard = (name: string) => safetensorsFile({ [name]: tensor("F32", [1], 0, 4) }, 4);
    await put(folder, "one.safetensors", shard("a"));
    await put(folder, "two.safetensors", shard("b"));
    const index = (weight_map: unknown) =>
      put(folder, "model.safetensors.index.json", JSON.stringify({ weight_map }));
    const good = { a: "one.safetensors", b: "two.safetensors" };
    assert.deepEqual((await readShards(await index(good))).map(({ name }) => name), ["a", "b"]);
    await refused(
      readShards(await index({ ...good, c: "two.safetensors" })),
      "E_MODEL_FORMAT",
      /does not hold c/,
    );
    await refused(
      readShards(await index({ a: "one.safetensors", c: "two.safetensors" })),
      "E_MODEL_FORMAT",
      /holds b/,
    );
    await refused(
      readShards(await index({ a: "none.safetensors" })),
      "E_MODEL_NOT_FOUND",
      /none\.safetensors/,
    );
    await refused(readShards(await index({ a: 5 })), "E_MODEL_FORMAT", /weight_map/);
    await refused(readShards(await index(null)), "E_MODEL_FORMAT", /weight_map/);
  });
});

Deno.test("readShards() refuses names and links that leave the folder", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(join(folder, "model"));
    const outside = await put(
      folder,
      "outside.safetensors",
      safetensorsFile({ a: tensor("F32", [1], 0, 4) }, 4),
    );
    await Deno.symlink(outside, join(folder, "model", "link.safetensors"));
    const escapes = [
      "../outside.safetensors",
      outside,
      "..",
      ".",
      "",
      "a/../../outside.safetensors",
      "c:evil",
      "..\\outside.safetensors",
      "x\0y",
      "file:///etc/passwd",
      "https://example.org/x",
      "link.safetensors",
    ];
    for (const name of escapes) {
      const path = join(folder, "model", "model.safetensors.index.json");
      await Deno.writeTextFile(path, JSON.stringify({ weight_map: { a: name } }));
      await refused(readShards(path), "E_PATH", /escapes the model's folder/);
    }
  });
});
