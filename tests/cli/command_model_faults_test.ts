import assert from "node:assert/strict";
import { join } from "node:path";
import type { ErrorCode } from "../../errors.ts";
import { openCheckpoint } from "../../model/mod.ts";
import { writeGgml } from "../convert/ggml_writer.ts";
import {
  assertRefused,
  type CommandResult,
  DEMO_MODEL,
  eachCommand,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  runCommand,
} from "../support/command.ts";
import {
  changedJson,
  changedWeights,
  demoWeights,
  type Header,
  modelWith,
  type Replacements,
  safetensors,
} from "./_broken_model.ts";

/** A model, what the refusal of it must say, and how to put it into a folder. */
interface BrokenModel {
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly args?: readonly string[];
  /** Files of the demo model replaced; or makes the model at a path. */
  readonly model: () => Promise<Replacements> | ((path: string) => Promise<void>);
}

/** The command refuses each, in one line, and leaves no file. */
async function refuses(t: Deno.TestContext, cases: readonly BrokenModel[]): Promise<void> {
  await inFolder(async (folder) => {
    const out = (each: BrokenModel) => join(folder, `out ${cases.indexOf(each)}`);
    const run = async (each: BrokenModel): Promise<CommandResult> => {
      const path = join(folder, `model ${cases.indexOf(each)}`);
      const model = each.model();
      if (typeof model === "function") await model(path);
      else await modelWith(path, await model);
      const args = ["--model", path, ...each.args ?? [], "-o", out(each), recording("01_command")];
      const result = await runCommand(args, { permissions: permissionsFor([path], [out(each)]) });
      await Deno.remove(path, { recursive: true });
      return result;
    };
    await eachCommand(t, cases, run, (result, each) => {
      assertRefused(result, each.code, each.message);
      assert.equal(result.stdout, "");
      assert.deepEqual(filesIn(out(each)), []);
    });
  });
}

const weights = (bytes: Uint8Array | Promise<Uint8Array>) => async (): Promise<Replacements> => ({
  "model.safetensors": await bytes,
});
const header = (change: (header: Header) => void) => () => weights(changedWeights(change))();
/** The header as text, the data as it is. */
const headerText = (change: (text: string) => string) => async (): Promise<Replacements> => {
  const { header, data } = await demoWeights();
  return { "model.safetensors": safetensors(change(JSON.stringify(header)), data) };
};

const CONV = "model.encoder.conv1.weight";
const BIAS = "model.encoder.conv1.bias";

Deno.test("transcribe refuses a safetensors file whose header does not hold what it says", (t) =>
  refuses(t, [
    {
      name: "a header longer than the file",
      code: "E_MODEL_FORMAT",
      message: /header says 1099511627776 bytes.*the file has 10/,
      model: weights(safetensors("{}", undefined, 2n ** 40n)),
    },
    {
      name: "a header of 150 MB in a file of 200 MB",
      code: "E_MODEL_FORMAT",
      message: /header says 150000000 bytes \(at most 100000000\)/,
      model: () => async (path) => {
        await modelWith(path, { "model.safetensors": safetensors("{}", undefined, 150_000_000n) });
        await Deno.truncate(join(path, "model.safetensors"), 200_000_000);
      },
    },
    {
      name: "fewer than 8 bytes",
      code: "E_MODEL_FORMAT",
      message: /at least 8 bytes, got 5/,
      model: weights(new Uint8Array(5)),
    },
    {
      name: "a header that is not JSON",
      code: "E_MODEL_FORMAT",
      message: /not JSON/,
      model: weights(safetensors(`{"a": nothing}`)),
    },
    {
      name: "a header that is not UTF-8",
      code: "E_MODEL_FORMAT",
      message: /not UTF-8/,
      model: weights(Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0xfe, 0x7d)),
    },
    {
      name: "a header that does not begin with {",
      code: "E_MODEL_FORMAT",
      message: /must begin with "\{"/,
      model: weights(safetensors(` {}`)),
    },
    {
      name: "a tensor twice",
      code: "E_MODEL_FORMAT",
      message: new RegExp(`duplicate.*"${CONV}"`),
      model: headerText((text) => {
        const entry = JSON.stringify(JSON.parse(text)[CONV]);
        return `${text.slice(0, -1)},"${CONV}":${entry}}`;
      }),
    },
    {
      name: "arrays a million deep",
      code: "E_MODEL_FORMAT",
      message: /nested deeper/,
      model: weights(safetensors(`{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`)),
    },
  ]));

Deno.test("transcribe refuses tensors whose shapes and ranges cannot be", (t) => {
  const shape = (name: string, shape: unknown[]): BrokenModel => ({
    name,
    code: "E_MODEL_FORMAT",
    message: new RegExp(`shape of tensor "${CONV}" overflows or is not made of counts`),
    model: header((header) => void (header[CONV].shape = shape)),
  });
  const range = (name: string, message: RegExp, change: (header: Header) => void): BrokenModel => ({
    name,
    code: "E_MODEL_FORMAT",
    message,
    model: header(change),
  });
  /** The tensors in the order of their bytes. */
  const inOrder = (header: Header) =>
    Object.values(header).sort((a, b) => a.data_offsets[0] - b.data_offsets[0]);
  return refuses(t, [
    shape("a product over 2⁶⁴", [2 ** 33, 2 ** 33, 3]),
    shape("a product that wraps around to the right size", [2 ** 32, 2 ** 32]),
    shape("a negative axis", [-128, -80, 3]),
    shape("a fraction of an axis", [128.5, 80, 3]),
    shape("an axis beyond 2⁵³", [2 ** 60, 80, 3]),
    shape("an axis that is text", ["128", 80, 3]),
    range("ranges that overlap", /overlaps/, (header) => {
      const [first, second] = inOrder(header);
      const length = second.data_offsets[1] - second.data_offsets[0];
      second.data_offsets = [first.data_offsets[0] + 2, first.data_offsets[0] + 2 + length];
    }),
    range("a hole between ranges", /hole/, (header) => {
      const entries = inOrder(header);
      for (const entry of entries.slice(5)) {
        entry.data_offsets = [entry.data_offsets[0] + 2, entry.data_offsets[1] + 2];
      }
    }),
    range("a range past the end", /range.*hole|end at byte/, (header) => {
      const last = inOrder(header).at(-1)!;
      last.data_offsets = [last.data_offsets[0] + 2 ** 40, last.data_offsets[1] + 2 ** 40];
    }),
    range("a range at an odd byte", /overlaps|hole/, (header) => {
      const [, second] = inOrder(header);
      second.data_offsets = [second.data_offsets[0] + 1, second.data_offsets[1] + 1];
    }),
    range("a range that ends before it begins", new RegExp(`range of tensor "${CONV}"`), (header) => {
      header[CONV].data_offsets.reverse();
    }),
    range("a range of no bytes for a shape with some", new RegExp(`range of tensor "${CONV}"`), (header) => {
      header[CONV].data_offsets = [0, 0];
    }),
    range("a range with a fraction", new RegExp(`"${CONV}" must have a range`), (header) => {
      header[CONV].data_offsets[0] += 0.5;
    }),
    {
      name: "a file cut short",
      code: "E_MODEL_FORMAT",
      message: /end at byte 44\d+, the file at 44\d+/,
      model: async () => {
        const { header, data } = await demoWeights();
        return { "model.safetensors": safetensors(header, data.slice(0, -10)) };
      },
    },
  ]);
});

Deno.test("transcribe refuses a sound file that is no whole Whisper", (t) =>
  refuses(t, [
    {
      name: "a tensor missing",
      code: "E_MODEL_MISMATCH",
      message: /need encoder\.conv1\.bias \[128\], got none/,
      model: async () => {
        const { header, data } = await demoWeights();
        const [begin, end] = header[BIAS].data_offsets;
        delete header[BIAS];
        for (const entry of Object.values(header)) {
          if (entry.data_offsets[0] < end) continue;
          entry.data_offsets = [entry.data_offsets[0] - end + begin, entry.data_offsets[1] - end + begin];
        }
        const rest = new Uint8Array(data.length - end + begin);
        rest.set(data.subarray(0, begin));
        rest.set(data.subarray(end), begin);
        return { "model.safetensors": safetensors(header, rest) };
      },
    },
    {
      name: "a tensor too many",
      code: "E_MODEL_MISMATCH",
      message: /model\.encoder\.extra/,
      model: async () => {
        const { header, data } = await demoWeights();
        header["model.encoder.extra"] = {
          dtype: "F16",
          shape: [0],
          data_offsets: [data.length, data.length],
        };
        return { "model.safetensors": safetensors(header, data) };
      },
    },
    {
      name: "a tensor of another shape",
      code: "E_MODEL_MISMATCH",
      message: /need encoder\.conv1\.weight \[128,80,3\], got \[80,128,3\]/,
      model: header((header) => void (header[CONV].shape = [80, 128, 3])),
    },
    {
      name: "a tensor of whole numbers",
      code: "E_MODEL_MISMATCH",
      message: new RegExp(`"${CONV}" must be F32, F16 or BF16, got "I16"`),
      model: header((header) => void (header[CONV].dtype = "I16")),
    },
    {
      name: "a config of another size",
      code: "E_MODEL_MISMATCH",
      message: /need encoder\.conv1\.weight \[384,80,3\], got \[128,80,3\]/,
      model: async () => ({
        "config.json": await changedJson("config.json", {
          d_model: 384,
          encoder_attention_heads: 6,
          decoder_attention_heads: 6,
          encoder_ffn_dim: 1536,
          decoder_ffn_dim: 1536,
        }),
      }),
    },
    {
      name: "a config of another architecture",
      code: "E_MODEL_MISMATCH",
      message: /model_type must be "whisper", got "bert"/,
      model: async () => ({ "config.json": await changedJson("config.json", { model_type: "bert" }) }),
    },
    {
      name: "a config that is cut",
      code: "E_MODEL_FORMAT",
      message: /config\.json: it is not JSON/,
      model: () => Promise.resolve({ "config.json": `{"model_type": "whisper", ` }),
    },
    {
      name: "a folder without a model",
      code: "E_MODEL_NOT_FOUND",
      message: /neither model\.safetensors nor/,
      model: () => Promise.resolve({ "model.safetensors": null }),
    },
  ]));

/** `tests/convert` writes the demo model as ggml; this changes the bytes. */
async function ggml(change: (bytes: DataView, firstTensor: number) => number | void): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(DEMO_MODEL);
  const bytes = await writeGgml(checkpoint);
  const view = new DataView(bytes.buffer);
  let at = FILTERS + 8 + 80 * 201 * 4;
  const tokens = view.getInt32(at, true);
  at += 4;
  for (let i = 0; i < tokens; i++) at += 4 + view.getInt32(at, true);
  const length = change(view, at);
  return typeof length === "number" ? bytes.slice(0, length) : bytes;
}

/** Offsets in a ggml file: magic, then eleven hyperparameters; the mel filters' header; the vocabulary's size. */
const N_VOCAB = 4, N_AUDIO_STATE = 12, N_MELS = 40, FILTERS = 48, TOKENS = FILTERS + 8 + 80 * 201 * 4;

Deno.test("transcribe refuses a ggml file that asks for more than it is", (t) => {
  const bomb = (
    name: string,
    message: RegExp,
    change: (bytes: DataView, firstTensor: number) => number | void,
    code: ErrorCode = "E_MODEL_FORMAT",
  ): BrokenModel => ({
    name,
    code,
    message,
    model: () => async (path) => await Deno.writeFile(path, await ggml(change)),
  });
  const set = (offset: number, value: number) => (bytes: DataView) => bytes.setInt32(offset, value, true);
  return refuses(t, [
    bomb("n_dims of 64", /n_dims must be 1 to 4, got 64/, (bytes, at) => bytes.setInt32(at, 64, true)),
    bomb("n_dims below zero", /n_dims must be 1 to 4, got -1/, (bytes, at) => bytes.setInt32(at, -1, true)),
    bomb(
      "a name of 2 GB",
      /name must have 1 to 128 bytes/,
      (bytes, at) => bytes.setInt32(at + 4, 0x7fffffff, true),
    ),
    bomb("an unknown type", /of ggml type 99/, (bytes, at) => bytes.setInt32(at + 8, 99, true)),
    bomb("a shape that overflows", /overflows/, (bytes, at) => bytes.setInt32(at + 12, -1, true)),
    bomb("n_vocab of 2³¹ − 1", /n_vocab.*2147483647/, set(N_VOCAB, 0x7fffffff)),
    bomb("n_vocab below zero", /n_vocab.*-5/, set(N_VOCAB, -5)),
    bomb("n_audio_state of zero", /n_audio_state.*0/, set(N_AUDIO_STATE, 0)),
    bomb("n_mels of a million", /n_mels.*1000000/, set(N_MELS, 1_000_000)),
    bomb("filters of another size", /mel filters must be 80 × 201, got 65536 × 201/, set(FILTERS, 65536)),
    bomb("a token of 2 GB", /token 0 may have 1024 bytes/, set(TOKENS + 4, 0x7fffffff)),
    bomb("more tokens than n_vocab", /1 to 2370 tokens, got 999999/, set(TOKENS, 999_999), "E_TOKENIZER"),
    bomb("a file that ends in the vocabulary", /ends at/, () => TOKENS + 100),
    bomb("a file that ends in a tensor", /ends at byte/, (_, at) => at + 1000),
  ]);
});

Deno.test("transcribe refuses weights that are no numbers, on both devices", (t) => {
  const cases = ["auto", "portable"].flatMap((device) =>
    ([["NaN", 0x7e00], ["infinity", 0xfc00]] as const).map(([what, bits]): BrokenModel => ({
      name: `${what} on ${device}`,
      code: "E_MODEL_VALUES",
      message: /decoder\.blocks\.1\.mlp\.0\.weight/,
      args: ["--device", device],
      model: () =>
        weights(changedWeights((header, data) => {
          const [begin] = header["model.decoder.layers.1.fc1.weight"].data_offsets;
          new DataView(data.buffer).setUint16(begin + 200, bits, true);
        }))(),
    }))
  );
  return refuses(t, cases);
});

Deno.test("transcribe refuses a checkpoint that names files outside its folder", (t) => {
  const index = async (shard: string): Promise<Replacements> => {
    const { header } = await demoWeights();
    const weight_map = Object.fromEntries(Object.keys(header).map((name) => [name, shard]));
    return { "model.safetensors": null, "model.safetensors.index.json": JSON.stringify({ weight_map }) };
  };
  const shard = (name: string, target: string): BrokenModel => ({
    name,
    code: "E_PATH",
    message: /escapes the model's folder/,
    model: () => index(target),
  });
  return refuses(t, [
    shard("by going up", "../../etc/passwd"),
    shard("by an absolute path", "/etc/passwd"),
    shard("by a URL", "https://example.org/model.safetensors"),
    shard("by its parent's name", ".."),
    {
      ...shard("by a symbolic link", ""),
      model: () => async (path) => {
        await modelWith(path, await index("model-00001-of-00001.safetensors"));
        await Deno.symlink(
          join(DEMO_MODEL, "model.safetensors"),
          join(path, "model-00001-of-00001.safetensors"),
        );
      },
    },
  ]);
});

Deno.test("transcribe refuses a vocabulary that is malformed or another model's", (t) => {
  const tokenizer = (name: string, message: RegExp, text: () => Promise<string>): BrokenModel => ({
    name,
    code: "E_TOKENIZER",
    message,
    model: async () => ({ "tokenizer.json": await text() }),
  });
  const json = async () => JSON.parse(await Deno.readTextFile(join(DEMO_MODEL, "tokenizer.json")));
  return refuses(t, [
    tokenizer("not JSON", /tokenizer\.json: it is not JSON/, () => Promise.resolve("{")),
    tokenizer("an array", /JSON object/, () => Promise.resolve("[]")),
    tokenizer("empty", /tokenizer\.json/, () => Promise.resolve("{}")),
    tokenizer("one token too many", /it has 2371 tokens, the model needs 2370/, async () => {
      const { added_tokens, ...rest } = await json();
      return JSON.stringify({ ...rest, added_tokens: [...added_tokens, { id: 2370, content: "<|new|>" }] });
    }),
    tokenizer("an id that is no count", /id must be a count, got -1/, async () => {
      const { added_tokens, ...rest } = await json();
      return JSON.stringify({ ...rest, added_tokens: [...added_tokens, { id: -1, content: "<|new|>" }] });
    }),
    tokenizer(
      "no special tokens",
      /token/,
      async () => JSON.stringify({ ...await json(), added_tokens: [] }),
    ),
  ]);
});
