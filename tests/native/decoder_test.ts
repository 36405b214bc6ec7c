// The native text decoder: against openai-whisper's logits, and against the portable device where shapes are odd.

import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { DecoderPrecision, DecoderSession } from "../../kernels/device.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import { openCheckpoint } from "../../model/open.ts";
import { decoderTensors, type NamedShape } from "../../model/weight_names.ts";
import { BLOCK_SIZES, type StoredDtype, type StoredTensor, WeightStore } from "../../model/weights.ts";
import { float32ToBf16, float32ToF16 } from "../../tensor/half.ts";
import { quantize } from "../convert/quantize.ts";
import { Random } from "../kernels/_random.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

/** Of logits about 20 in size. The 16-bit cross cache leaves 5e-4; F32 alone 2e-5. */
const PARITY_TOLERANCE = 2e-3;

/**
 * Against the portable device, of logits about 1 in size. The cross cache again; and weights that were quantized are
 * kept in F16, which the portable device does not do.
 */
const deviceTolerance = (dtype: StoredDtype): number => BLOCK_SIZES[dtype][0] > 1 ? 2e-3 : 2e-4;

const openCpu = (variant: string, threads: number): CpuDevice =>
  CpuDevice.open({ library: LIBRARY_PATH, variant, threads });

function assertNear(actual: Float32Array, expected: Float32Array, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    worst = error <= worst ? worst : error; // NaN stays
  }
  assert.ok(worst <= tolerance, `${what}: ${worst} off`);
}

for (const variant of variants()) {
  testWithData(
    `CpuDevice's decoder gives openai-whisper's logits (${variant})`,
    ["parity"],
    async (parity) => {
      const { dims, weights } = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);
      for (const threads of [1, 3]) {
        using device = openCpu(variant, threads);
        using decoder = await device.loadDecoder(dims.decoder!, weights);
        using session = decoder.open(1);
        for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
          const { encoder, prefix, steps, logits } = await readGolden(`${parity}/${clip}.safetensors`);
          await session.setFeatures(encoder);
          const rows = [...await session.step(Int32Array.from(prefix), 1, 0)];
          for (let i = 0; i < 7; i++) {
            rows.push(...await session.step(Int32Array.of(steps[i]), 1, prefix.length + i));
          }
          assertNear(Float32Array.from(rows), logits, PARITY_TOLERANCE, `${clip}, ${threads} threads`);
        }
      }
    },
  );
}

/** Nothing here is a multiple of a vector: D = 9; three blocks of audio and of text positions, the last in part. */
const ODD: DecoderDimensions = {
  n_audio_ctx: 131,
  n_vocab: 203,
  n_text_ctx: 150,
  n_text_state: 45,
  n_text_head: 5,
  n_text_layer: 2,
};

/** Wide heads, and rows of whole blocks of 32, as the quantized types need. */
const WIDE: DecoderDimensions = {
  n_audio_ctx: 70,
  n_vocab: 96,
  n_text_ctx: 20,
  n_text_state: 160,
  n_text_head: 2,
  n_text_layer: 1,
};

const BYTES_OF: Record<StoredDtype, (values: Float32Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
  F32: (values) => new Uint8Array(values.slice().buffer),
  F16: (values) => new Uint8Array(float32ToF16(values).buffer),
  BF16: (values) => new Uint8Array(float32ToBf16(values).buffer),
  Q8_0: (values) => quantize("Q8_0", values),
  Q5_0: (values) => quantize("Q5_0", values),
  Q5_1: (values) => quantize("Q5_1", values),
  Q4_0: (values) => quantize("Q4_0", values),
  Q4_1: (values) => quantize("Q4_1", values),
};

/** One file with all tensors, the first at byte 1, so that none is aligned. Vectors of quantized models are F32. */
function store(tensors: readonly NamedShape[], dtype: StoredDtype, spoil = ""): WeightStore {
  const random = new Random(7);
  const parts = tensors.map(({ name, shape }): Omit<StoredTensor, "file"> & { bytes: Uint8Array } => {
    const values = random.array(shape.reduce((a, b) => a * b, 1), 0.3);
    if (name === spoil) values[values.length - 1] = NaN;
    const stored = shape.length === 1 && BLOCK_SIZES[dtype][0] > 1 ? "F32" : dtype;
    const bytes = BYTES_OF[stored](values);
    return { name, shape, dtype: stored, byteOffset: 0, byteLength: bytes.length, bytes };
  });
  const file = new Uint8Array(1 + parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let byteOffset = 1;
  return new WeightStore(parts.map(({ bytes, ...tensor }) => {
    file.set(bytes, byteOffset);
    const placed = { ...tensor, byteOffset, file: { bytes: file } };
    byteOffset += bytes.length;
    return placed;
  }));
}

const features = (dims: DecoderDimensions) => new Random(8).array(dims.n_audio_ctx * dims.n_text_state);

function tokens(count: number, dims: DecoderDimensions, seed = 9): Int32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Int32Array.from({ length: count }, () => Math.floor((random.next() + 1) / 2 * dims.n_vocab));
}

/** What a walk through all of a session's abilities computes. */
async function walk(session: DecoderSession, dims: DecoderDimensions): Promise<Map<string, Float32Array>> {
  const { n_text_ctx } = dims;
  const results = new Map<string, Float32Array>();
  await session.setFeatures(features(dims));
  const prompt = tokens(n_text_ctx - 7, dims);
  const all = [...prompt.keys()];
  results.set("a long prompt, every row", await session.step(prompt, 1, 0, all));
  results.set(
    "the same, rows in any order",
    await session.step(prompt, 1, 0, [prompt.length - 1, 0, 5, 4, 5]),
  );
  results.set("one token more", await session.step(Int32Array.of(3), 1, prompt.length));
  await session.reorder([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  results.set("nine of it", await session.step(tokens(9, dims, 10), 9, prompt.length + 1));
  await session.reorder([8, 8, 0, 3, 2, 5, 7, 1, 6]);
  results.set("reordered", await session.step(tokens(9, dims, 11), 9, prompt.length + 2));
  results.set("two of them again", await session.step(tokens(4, dims, 12), 2, prompt.length + 2, [0, 1]));
  results.set("new prompts", await session.step(tokens(9 * 14, dims, 13), 9, 0, [13, 2]));
  return results;
}

const CASES: readonly (readonly [string, DecoderDimensions, StoredDtype])[] = [
  ["odd dimensions, F32", ODD, "F32"],
  ["odd dimensions, F16", ODD, "F16"],
  ["wide heads, BF16", WIDE, "BF16"],
  ["wide heads, Q8_0", WIDE, "Q8_0"],
  ["wide heads, Q5_1", WIDE, "Q5_1"],
];

for (const [name, dims, dtype] of CASES) {
  testWithLibrary(`CpuDevice's decoder agrees with the portable one: ${name}`, async () => {
    const weights = store(decoderTensors(dims), dtype);
    using portable = openPortableDevice();
    using reference = await portable.loadDecoder(dims, weights);
    using expecting = reference.open(9);
    const expected = await walk(expecting, dims);
    for (const variant of variants()) {
      const results: Map<string, Float32Array>[] = [];
      for (const threads of [1, 2, 7]) {
        using device = openCpu(variant, threads);
        using decoder = await device.loadDecoder(dims, weights);
        using session = decoder.open(9);
        results.push(await walk(session, dims));
      }
      for (const [what, logits] of expected) {
        const [one, ...others] = results.map((result) => result.get(what)!);
        assertNear(one, logits, deviceTolerance(dtype), `${variant}, ${what}`);
        for (const other of others) assert.deepEqual(other, one, `${variant}, ${what}, other threads`);
      }
    }
  });
}

/** INT8 against the weights as they are, relative L2 of logits; at the size of base it is 0.0055. */
const INT8_TOLERANCE = 0.015;

/** Of kernels against each other: an activation between two of its 65,535 codes may become either. */
const CODE_TOLERANCE = 1e-4;

for (const [name, dims, dtype] of CASES) {
  testWithLibrary(`CpuDevice's decoder in int8 stays near its weights: ${name}`, async () => {
    const weights = store(decoderTensors(dims), dtype);
    const walked = async (variant: string, threads: number, precision: DecoderPrecision) => {
      using device = openCpu(variant, threads);
      using decoder = await device.loadDecoder(dims, weights, { precision });
      using session = decoder.open(9);
      return await walk(session, dims);
    };
    const stored = await walked("ref", 2, "stored");
    const reference = await walked("ref", 2, "int8");
    for (const [what, logits] of reference) {
      const error = relativeError(logits, stored.get(what)!);
      assert.ok(error > 1e-4 && error <= INT8_TOLERANCE, `${what}: ${error}`);
    }
    for (const variant of variants()) {
      const one = await walked(variant, 1, "int8");
      for (const [what, logits] of await walked(variant, 7, "int8")) {
        assert.deepEqual(logits, one.get(what), `${variant}, ${what}, other threads`);
        const error = relativeError(logits, reference.get(what)!);
        assert.ok(error <= CODE_TOLERANCE, `${variant}, ${what}: ${error}`);
      }
    }
  });
}

testWithLibrary("loadDecoder() refuses a precision there is not", async () => {
  const weights = store(decoderTensors(ODD), "F16");
  using device = openCpu("", 1);
  await assert.rejects(device.loadDecoder(ODD, weights, { precision: "int4" as DecoderPrecision }), {
    code: "E_OPTION",
    message: 'Cannot decode in "int4": a decoder\'s precision must be one of stored, int8',
  });
});

testWithLibrary("loadDecoder() refuses weights that are not finite and names the tensor", async () => {
  for (
    const [dtype, spoil] of [["F16", "decoder.blocks.1.mlp.2.weight"], ["F32", "decoder.ln.bias"]] as const
  ) {
    using device = openCpu("", 2);
    const weights = store(decoderTensors(ODD), dtype, spoil);
    for (const precision of ["stored", "int8"] as const) {
      await assert.rejects(
        device.loadDecoder(ODD, weights, { precision }),
        (error: { code: string; message: string }) =>
          error.code === "E_MODEL_VALUES" && error.message.includes(`"${spoil}"`),
      );
    }
  }
});

testWithLibrary("A session keeps its decoder, and two sessions at once do not mix", async () => {
  const weights = store(decoderTensors(ODD), "F16");
  using device = openCpu("", 2);
  const decoder = await device.loadDecoder(ODD, weights);
  using one = decoder.open(9);
  using other = decoder.open(9);
  decoder[Symbol.dispose]();
  const alone = await walk(one, ODD);
  const [together, second] = await Promise.all([walk(one, ODD), walk(other, ODD)]);
  assert.deepEqual(together, alone);
  assert.deepEqual(second, alone);
});
