import assert from "node:assert/strict";
import { openByteSource } from "../../model/byte_source.ts";
import { openGgml } from "../../model/ggml.ts";
import { openCheckpoint } from "../../model/open.ts";
import { readFloat32, readTensor } from "../../model/read_tensor.ts";
import { type GgmlOptions, writeGgml } from "../convert/ggml_writer.ts";
import { tokensOfTokenizerJson } from "../convert/gpt2_bytes.ts";
import { DEMO, inFolder, put, refused, tinyCheckpoint } from "./support.ts";

const TOKENS = Array.from({ length: 8 }, (_, id) => new TextEncoder().encode(`token ${id}`));

async function openBytes(bytes: Uint8Array<ArrayBuffer>) {
  using source = await openByteSource({ bytes });
  return await openGgml(source);
}

/** A ggml file of a few kilobytes, and where its parts begin. */
async function tinyGgml(options: GgmlOptions = {}) {
  const bytes = await writeGgml(await tinyCheckpoint(), { tokens: TOKENS, ...options });
  const filters = 4 + 11 * 4;
  const vocabulary = filters + 8 + 80 * 201 * 4;
  const tensors = vocabulary + 4 + TOKENS.reduce((sum, token) => sum + 4 + token.length, 0);
  return { bytes, filters, vocabulary, tensors };
}

function withInt32(bytes: Uint8Array<ArrayBuffer>, at: number, value: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  new DataView(copy.buffer).setInt32(at, value, true);
  return copy;
}

/** ‖a − b‖ / ‖b‖ */
function relativeError(a: Float32Array, b: Float32Array): number {
  let difference = 0, norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

Deno.test("openCheckpoint() reads the demo model from ggml: F32 and F16 exactly, blocks within their step", async () => {
  const original = await openCheckpoint(DEMO);
  // Error of a matrix whose values are spread over [−s, s]: about step / √12, one step being s / 2^(bits − 1).
  const largestError = {
    F32: 0,
    F16: 0,
    Q8_0: 0.01,
    Q5_0: 0.06,
    Q5_1: 0.06,
    Q4_0: 0.12,
    Q4_1: 0.12,
  } as const;
  for (const dtype of Object.keys(largestError) as (keyof typeof largestError)[]) {
    await inFolder(async (folder) => {
      const copy = await openCheckpoint(await put(folder, "demo.bin", await writeGgml(original, { dtype })));
      assert.equal(copy.format, "ggml");
      assert.deepEqual(copy.dims, original.dims);
      assert.deepEqual(copy.weights.names, original.weights.names);
      assert.equal(copy.weights.find("decoder.blocks.0.attn.query.weight")!.dtype, dtype);
      for (const name of original.weights.names) {
        const [a, b] = [original.weights.find(name)!, copy.weights.find(name)!];
        assert.deepEqual(b.shape, a.shape, name);
        const error = relativeError(await readFloat32(b), await readFloat32(a));
        assert.ok(error <= largestError[dtype], `${dtype} ${name}: ${error}`);
      }
    });
  }
});

Deno.test("openCheckpoint() keeps a ggml file's tokens as bytes, by id", async () => {
  const original = await openCheckpoint(DEMO);
  await inFolder(async (folder) => {
    const { vocabulary } = await openCheckpoint(await put(folder, "demo.bin", await writeGgml(original)));
    assert.ok(vocabulary?.kind === "ggml" && original.vocabulary?.kind === "tokenizer.json");
    assert.deepEqual(vocabulary.tokens, tokensOfTokenizerJson(original.vocabulary.json));
    assert.equal(new TextDecoder().decode(vocabulary.tokens[859]), "<|endoftext|>");
  });
});

Deno.test("openCheckpoint() prefers a fitting tokenizer.json beside a ggml file", async () => {
  await inFolder(async (folder) => {
    const path = await put(folder, "tiny.bin", (await tinyGgml()).bytes);
    assert.equal((await openCheckpoint(path)).vocabulary?.kind, "ggml");
    const tokenizer = (size: number) =>
      JSON.stringify({
        model: { vocab: Object.fromEntries([..."abcdefghi"].slice(0, size).map((c, id) => [c, id])) },
        added_tokens: [],
      });
    await put(folder, "tokenizer.json", tokenizer(7));
    assert.equal((await openCheckpoint(path)).vocabulary?.kind, "ggml");
    await put(folder, "tokenizer.json", tokenizer(8));
    assert.equal((await openCheckpoint(path)).vocabulary?.kind, "tokenizer.json");
  });
});

Deno.test("openGgml() makes vectors of the convolutions' column biases", async () => {
  const { weights } = await openBytes((await tinyGgml()).bytes);
  const { weights: original } = await tinyCheckpoint();
  for (const name of ["encoder.conv1.bias", "encoder.conv2.bias"]) {
    assert.deepEqual(weights.find(name)!.shape, [4]);
    assert.deepEqual(await readFloat32(weights.find(name)!), await readFloat32(original.find(name)!));
  }
  assert.deepEqual(weights.find("encoder.conv1.weight")!.shape, [4, 80, 3]);
  assert.deepEqual(
    await readTensor(weights.find("encoder.conv1.weight")!),
    await readTensor(original.find("encoder.conv1.weight")!),
  );
});

Deno.test("openGgml() refuses numbers outside Whisper's range before it allocates by them", async () => {
  const { bytes, filters, vocabulary, tensors } = await tinyGgml();
  const cases: [at: number, value: number, message: RegExp][] = [
    [0, 0x67676d6d, /magic number/],
    [4, -1, /n_vocab must be 1 to 1048576, got -1/],
    [4, 2 ** 30, /n_vocab/],
    [8, 0, /n_audio_ctx/],
    [12, 2 ** 30, /n_audio_state/],
    [20, 1000, /n_audio_layer/],
    [40, 1 << 20, /n_mels/],
    [44, 1008, /ftype 1008 must be quantised in version 2, got 1/],
    [44, 9, /quantised in version 2, got 0/],
    [filters, 81, /mel filters must be 80 × 201, got 81 × 201/],
    [filters + 4, 2 ** 30, /mel filters/],
    [vocabulary + 4, -1, /token 0 may have 1024 bytes, got -1/],
    [vocabulary + 4, 2 ** 31 - 1, /token 0 may have 1024 bytes/],
    [tensors, 0, /n_dims must be 1 to 4, got 0/],
    [tensors, 64, /n_dims must be 1 to 4, got 64/],
    [tensors, -1, /n_dims/],
    [tensors + 4, 2 ** 31 - 1, /name must have 1 to 128 bytes, got 2147483647/],
    [tensors + 4, -1, /name must have/],
    [tensors + 8, 12, /is of ggml type 12; types 0,1,2,3,6,7,8 are read/],
    [tensors + 8, 8, /has no whole blocks/],
    [tensors + 12, -3, /overflows, is empty/],
    [tensors + 12, 2 ** 31 - 1, /ends at byte/],
    [tensors + 12, 0, /is empty/],
  ];
  for (const [at, value, message] of cases) {
    await refused(openBytes(withInt32(bytes, at, value)), "E_MODEL_FORMAT", message);
  }
  for (const count of [-1, 0, 9, 2 ** 31 - 1]) {
    await refused(openBytes(withInt32(bytes, vocabulary, count)), "E_TOKENIZER", /1 to 8 tokens, got/);
  }
  const huge = [12, 16, 20].reduce((copy, at) => withInt32(copy, tensors + at, 2 ** 31 - 1), bytes);
  await refused(openBytes(huge), "E_MODEL_FORMAT", /overflows/);
});

Deno.test("openGgml() refuses a file cut anywhere, a tensor twice, and one that is not Whisper's", async () => {
  const { bytes, tensors } = await tinyGgml();
  for (let end = 0; end < bytes.length; end += end < tensors && end > 200 ? 4001 : 37) {
    await assert.rejects(openBytes(bytes.slice(0, end)), { name: "SottoError" }, `cut at ${end}`);
  }
  const twice = new Uint8Array([...bytes, ...bytes.subarray(tensors)]);
  await refused(openBytes(twice), "E_MODEL_MISMATCH", /two tensors are encoder\.conv1\.weight/);
  const renamed = bytes.slice();
  renamed[tensors + 12 + 3 * 4] ^= 1;
  await refused(openBytes(renamed), "E_MODEL_MISMATCH", /need encoder\.conv1\.weight \[4,80,3\], got none/);
});
