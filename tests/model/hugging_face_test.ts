import assert from "node:assert/strict";
import { join } from "node:path";
import type { Warning } from "../../errors.ts";
import { fromHuggingFaceName } from "../../model/hugging_face_names.ts";
import { openCheckpoint } from "../../model/open.ts";
import { decoderTensors, encoderTensors } from "../../model/weight_names.ts";
import { testWithData } from "../support/shared_data.ts";
import { DEMO, inFolder, put, refused } from "./support.ts";

/** Copies the demo model into a folder, with entries of its JSON files replaced; undefined removes an entry. */
async function demoWith(
  folder: string,
  changes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
  without: readonly string[] = [],
): Promise<void> {
  for (const name of ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"]) {
    if (without.includes(name)) continue;
    if (name === "model.safetensors") await Deno.symlink(join(DEMO, name), join(folder, name));
    else {
      const json = JSON.parse(await Deno.readTextFile(join(DEMO, name)));
      await put(folder, name, JSON.stringify({ ...json, ...changes[name] }));
    }
  }
}

/** The demo model's weights under other names. */
async function renamed(rename: (name: string) => string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.readFile(join(DEMO, "model.safetensors"));
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const entries = Object.entries(header).map((
    [name, entry],
  ) => [name === "__metadata__" ? name : rename(name), entry]);
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const changed = new Uint8Array(8 + text.length + file.length - 8 - length);
  new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true);
  changed.set(text, 8);
  changed.set(file.subarray(8 + length), 8 + text.length);
  return changed;
}

Deno.test("openCheckpoint() reads a Hugging Face folder whole", async () => {
  const warnings: Warning[] = [];
  const { format, dims, weights, vocabulary, generation } = await openCheckpoint(DEMO, {
    onWarning: (warning) => warnings.push(warning),
  });
  assert.equal(format, "hugging-face");
  assert.deepEqual(dims, {
    encoder: { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 128, n_audio_head: 2, n_audio_layer: 4 },
    decoder: {
      n_audio_ctx: 1500,
      n_vocab: 2370,
      n_text_ctx: 448,
      n_text_state: 128,
      n_text_head: 2,
      n_text_layer: 3,
    },
  });
  const names = [...encoderTensors(dims.encoder), ...decoderTensors(dims.decoder!)].map(({ name }) => name);
  assert.deepEqual(weights.names, names);
  assert.equal(vocabulary?.kind, "tokenizer.json");
  assert.equal(generation?.is_multilingual, true);
  assert.deepEqual(generation?.alignment_heads, [[1, 1], [2, 0]]);
  assert.deepEqual(generation?.lang_to_id, new Map([["en", 861], ["de", 862]]));
  assert.deepEqual(generation?.task_to_id, new Map([["translate", 863], ["transcribe", 864]]));
  assert.equal(generation?.no_timestamps_token_id, 868);
  assert.deepEqual(warnings, []);
});

Deno.test("fromHuggingFaceName() refuses what is near Whisper's names but not one", () => {
  assert.equal(
    fromHuggingFaceName("model.encoder.layers.0.self_attn.q_proj.weight"),
    "encoder.blocks.0.attn.query.weight",
  );
  assert.equal(
    fromHuggingFaceName("decoder.layers.31.encoder_attn.out_proj.bias"),
    "decoder.blocks.31.cross_attn.out.bias",
  );
  for (
    const name of [
      "model.encoder.layers.0.self_attn.weight",
      "model.encoder.layers.0.fc1.q_proj.weight",
      "model.encoder.layers.00.fc1.weight",
      "model.encoder.layers.0.constructor.weight",
      "model.encoder.layers.0.self_attn.toString.weight",
      "model.model.encoder.conv1.weight",
      "constructor.weight",
      "proj_out.weight",
      "__proto__",
      "",
    ]
  ) assert.equal(fromHuggingFaceName(name), null, name);
});

Deno.test("openCheckpoint() reads names without the leading model.", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["model.safetensors"]);
    await put(folder, "model.safetensors", await renamed((name) => name.replace(/^model\./, "")));
    assert.equal((await openCheckpoint(folder)).weights.names.length, 143);
  });
});

Deno.test("openCheckpoint() ignores a bias of the keys, which softmax does not notice, and the tied proj_out", async () => {
  const { weights } = await openCheckpoint(DEMO);
  for (
    const [name, shape] of [["model.encoder.layers.0.self_attn.k_proj.bias", [128]], ["proj_out.weight", [
      2370,
      128,
    ]]] as const
  ) {
    assert.deepEqual(await namesWithExtraTensor(name, shape), weights.names);
  }
});

Deno.test("openCheckpoint() refuses a bias of the keys of another shape, and tensors that are not Whisper's", async () => {
  await refused(
    namesWithExtraTensor("model.encoder.layers.0.self_attn.k_proj.bias", [64]),
    "E_MODEL_MISMATCH",
    /key\.bias/,
  );
  await refused(namesWithExtraTensor("lora.weight", [128]), "E_MODEL_MISMATCH", /holds lora\.weight/);
});

/** The names in the demo model opened with one more tensor, in F16, at the end of its file. */
async function namesWithExtraTensor(name: string, shape: readonly number[]): Promise<readonly string[]> {
  let names: readonly string[] = [];
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["model.safetensors"]);
    const file = await Deno.readFile(join(DEMO, "model.safetensors"));
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    const end = file.length - 8 - length;
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: "F16", shape, data_offsets: [end, end + bytes] };
    const text = new TextEncoder().encode(JSON.stringify(header));
    const changed = new Uint8Array(8 + text.length + end + bytes);
    new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true);
    changed.set(text, 8);
    changed.set(file.subarray(8 + length), 8 + text.length);
    await put(folder, "model.safetensors", changed);
    names = (await openCheckpoint(folder)).weights.names;
  });
  return names;
}

Deno.test("openCheckpoint() refuses a missing and a wrongly shaped tensor by name and shape", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["model.safetensors"]);
    await put(
      folder,
      "model.safetensors",
      await renamed((name) => name.replace("encoder.conv1.bias", "encoder.conv3.bias")),
    );
    await refused(openCheckpoint(folder), "E_MODEL_MISMATCH", /need encoder\.conv1\.bias \[128\], got none/);
  });
  await inFolder(async (folder) => {
    await demoWith(folder, { "config.json": { num_mel_bins: 128 } });
    await refused(
      openCheckpoint(folder),
      "E_MODEL_MISMATCH",
      /need encoder\.conv1\.weight \[128,128,3\], got \[128,80,3\]/,
    );
  });
});

Deno.test("openCheckpoint() refuses two tensors that mean the same", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["model.safetensors"]);
    const twice = (name: string): string => name === "model.encoder.conv2.bias" ? "encoder.conv1.bias" : name;
    await put(folder, "model.safetensors", await renamed(twice));
    await refused(openCheckpoint(folder), "E_MODEL_MISMATCH", /encoder\.conv/);
  });
});

Deno.test("openCheckpoint() refuses a config that is not Whisper's or out of range", async () => {
  const cases: [Record<string, unknown>, "E_MODEL_MISMATCH" | "E_MODEL_FORMAT", RegExp][] = [
    [{ model_type: "bart" }, "E_MODEL_MISMATCH", /model_type must be "whisper", got "bart"/],
    [{ activation_function: "relu" }, "E_MODEL_MISMATCH", /activation_function/],
    [{ scale_embedding: true }, "E_MODEL_MISMATCH", /scale_embedding/],
    [{ tie_word_embeddings: false }, "E_MODEL_MISMATCH", /tie_word_embeddings/],
    [{ encoder_ffn_dim: 500 }, "E_MODEL_MISMATCH", /encoder_ffn_dim must be 512, got 500/],
    [
      { encoder_attention_heads: 3 },
      "E_MODEL_MISMATCH",
      /n_audio_state 128 must be a multiple of n_audio_head 3/,
    ],
    [{ num_mel_bins: 100 }, "E_MODEL_MISMATCH", /n_mels must be 80 or 128, got 100/],
    [{ d_model: 2 ** 40 }, "E_MODEL_FORMAT", /n_audio_state must be 1 to 8192, got 1099511627776/],
    [{ encoder_layers: -1 }, "E_MODEL_FORMAT", /n_audio_layer must be 1 to 128, got -1/],
    [{ encoder_layers: 1.5 }, "E_MODEL_FORMAT", /n_audio_layer/],
    [{ vocab_size: "2370" }, "E_MODEL_FORMAT", /n_vocab .* got "2370"/],
    [{ vocab_size: undefined }, "E_MODEL_FORMAT", /n_vocab .* got none/],
  ];
  for (const [change, code, message] of cases) {
    await inFolder(async (folder) => {
      await demoWith(folder, { "config.json": change });
      await refused(openCheckpoint(folder), code, message);
    });
  }
});

Deno.test("openCheckpoint() warns of a missing generation config and refuses a malformed one", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["generation_config.json"]);
    const warnings: Warning[] = [];
    assert.equal(
      (await openCheckpoint(folder, { onWarning: (warning) => warnings.push(warning) })).generation,
      null,
    );
    assert.deepEqual(warnings.map(({ code }) => code), ["W_MODEL"]);
  });
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ suppress_tokens: [1, 2370] }, /suppress_tokens must hold tokens below 2370/],
    [{ suppress_tokens: "none" }, /suppress_tokens/],
    [{ lang_to_id: { "<|en|>": -1 } }, /lang_to_id/],
    [{ lang_to_id: [1] }, /lang_to_id/],
    [{ is_multilingual: 1 }, /is_multilingual must be a boolean, got 1/],
    [{ eos_token_id: 1e9 }, /eos_token_id/],
    [{ alignment_heads: [[1]] }, /alignment_heads must hold pairs/],
    [{ max_initial_timestamp_index: 99999 }, /max_initial_timestamp_index/],
  ];
  for (const [change, message] of cases) {
    await inFolder(async (folder) => {
      await demoWith(folder, { "generation_config.json": change });
      await refused(openCheckpoint(folder), "E_MODEL_FORMAT", message);
    });
  }
});

Deno.test("openCheckpoint() drops a teacher's alignment heads with a warning", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, { "generation_config.json": { alignment_heads: [[10, 12]] } });
    const warnings: Warning[] = [];
    const { generation } = await openCheckpoint(folder, { onWarning: (warning) => warnings.push(warning) });
    assert.equal(generation?.alignment_heads, null);
    assert.match(warnings[0].message, /alignment_heads are not of this model/);
  });
});

Deno.test("openCheckpoint() refuses a vocabulary of another size, and malformed ones", async () => {
  const added = (id: unknown) => ({ "tokenizer.json": { added_tokens: [{ id, content: "<|x|>" }] } });
  const cases: [Record<string, Record<string, unknown>>, "E_TOKENIZER" | "E_MODEL_FORMAT", RegExp][] = [
    [added(2370), "E_TOKENIZER", /it has 2371 tokens, the model needs 2370/],
    [added(2368), "E_TOKENIZER", /it has 2369 tokens/],
    [added(-1), "E_TOKENIZER", /id must be a count, got -1/],
    [added("7"), "E_TOKENIZER", /id must be a count/],
    [{ "tokenizer.json": { model: undefined } }, "E_TOKENIZER", /must hold model\.vocab/],
    [{ "tokenizer.json": { added_tokens: {} } }, "E_TOKENIZER", /must hold model\.vocab/],
  ];
  for (const [changes, code, message] of cases) {
    await inFolder(async (folder) => {
      await demoWith(folder, changes);
      await refused(openCheckpoint(folder), code, message);
    });
  }
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["tokenizer.json"]);
    await refused(openCheckpoint(folder), "E_TOKENIZER", /Cannot find a vocabulary of 2370 tokens/);
  });
});

Deno.test("openCheckpoint() takes model.safetensors of a folder with a config for the folder", async () => {
  assert.equal((await openCheckpoint(join(DEMO, "model.safetensors"))).format, "hugging-face");
});

Deno.test("openCheckpoint() infers dimensions by shapes where there is no config", async () => {
  await inFolder(async (folder) => {
    await demoWith(folder, {}, ["config.json"]);
    for (const path of [folder, join(folder, "model.safetensors")]) {
      const { format, dims } = await openCheckpoint(path);
      assert.equal(format, "safetensors");
      assert.deepEqual(dims, (await openCheckpoint(DEMO)).dims);
    }
  });
});

testWithData(
  "openCheckpoint() opens weights of the encoder alone",
  ["whisper-base-encoder"],
  async (folder) => {
    const { dims, weights, vocabulary, generation } = await openCheckpoint(folder);
    assert.deepEqual(dims, {
      encoder: { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 512, n_audio_head: 8, n_audio_layer: 6 },
      decoder: null,
    });
    assert.equal(weights.names.length, 97);
    assert.deepEqual([vocabulary, generation], [null, null]);
  },
);

Deno.test("openCheckpoint() tells what a path is that holds no model", async () => {
  await inFolder(async (folder) => {
    await refused(openCheckpoint(join(folder, "none")), "E_MODEL_NOT_FOUND", /no such file or folder/);
    await refused(openCheckpoint(folder), "E_MODEL_NOT_FOUND", /neither model\.safetensors nor/);
    await put(folder, "pytorch_model.bin", "x");
    assert.match(
      (await refused(openCheckpoint(folder), "E_MODEL_NOT_FOUND", /neither/)).hint,
      /pytorch_model\.bin/,
    );
    const files: [string | Uint8Array, RegExp][] = [
      ["", /empty/],
      ["hello, this is a text file named base.pt", /Give a Hugging Face folder/],
      ["GGUF\x03\0\0\0", /GGUF/],
      ["<!DOCTYPE html>", /web page/],
      ["version https://git-lfs.github.com/spec/v1\n", /Git LFS/],
      [Uint8Array.of(0x80, 2, 0x8a, 0x0a), /torch before 1\.6/],
      ["tjgg\x01\0\0\0", /language model/],
    ];
    for (const [content, hint] of files) {
      const path = await put(folder, "file", content);
      assert.match(
        (await refused(openCheckpoint(path), "E_MODEL_FORMAT", /no safetensors, \.pt or ggml/)).hint,
        hint,
      );
    }
  });
});
