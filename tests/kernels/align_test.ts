// align(): on the portable device against steps and against attention by hand, on the CPU device against the portable.

import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { AlignmentOptions, DecoderSession, Device, TextAlignment } from "../../kernels/device.ts";
import { alignmentPath } from "../../kernels/portable/alignment_path.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { relativeError } from "../support/golden.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const demo = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);
const dims = demo.dims.decoder!;
const { n_audio_ctx: T, n_vocab: V, n_text_state: C } = dims;
const VOCABULARY = 1000;

/** 70 tokens: more than a pass of the native decoder takes. */
const tokens = Int32Array.from({ length: 70 }, (_, i) => (i * 131) % 1100);
const features = Float32Array.from({ length: T * C }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013));
const HEADS = [[2, 0], [0, 1], [1, 1]] as const;

const OPTIONS = { start: 4, positions: T, vocabulary: VOCABULARY };

/** An alignment, and the scores that it was found by. */
interface Scored extends TextAlignment {
  readonly scores: Float32Array<ArrayBuffer>;
}

async function scored(
  session: DecoderSession,
  heads: typeof HEADS[number][],
  positions = T,
): Promise<Scored> {
  const scores = new Float32Array(heads.length * tokens.length * T);
  return { ...await session.align(tokens, heads, { ...OPTIONS, positions, scores }), scores };
}

async function alignOn(device: Device): Promise<Scored> {
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(2);
  await session.setFeatures(features);
  return await scored(session, [...HEADS]);
}

let portable: Promise<Scored> | undefined;
function onPortable(): Promise<Scored> {
  return portable ??= (async () => {
    using device = openPortableDevice();
    return await alignOn(device);
  })();
}

Deno.test("align() gives the probabilities that the logits of steps come to", async () => {
  const { probabilities } = await onPortable();
  using device = openPortableDevice();
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(1);
  await session.setFeatures(features);
  const rows = [0, 5, 68];
  const logits = await session.step(tokens, 1, 0, rows);
  for (const [i, row] of rows.entries()) {
    const among = logits.subarray(i * V, i * V + VOCABULARY);
    const sum = among.reduce((total, logit) => total + Math.exp(logit), 0);
    const expected = Math.exp(among[tokens[row + 1]]) / sum;
    assert(Math.abs(probabilities[row + 1] - expected) <= 1e-6 * expected + 1e-9);
  }
});

Deno.test("align() has no probability for the first token and for those outside the vocabulary", async () => {
  const { probabilities } = await onPortable();
  assert.equal(probabilities.length, tokens.length);
  const without = [...probabilities.keys()].filter((i) => probabilities[i] === 0);
  assert.deepEqual(without, [...tokens.keys()].filter((i) => i === 0 || tokens[i] >= VOCABULARY));
});

Deno.test("align() gives the scores of each head in the order asked for", async () => {
  const { scores } = await onPortable();
  assert.equal(scores.length, HEADS.length * tokens.length * T);
  using device = openPortableDevice();
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(1);
  await session.setFeatures(features);
  const { scores: alone } = await scored(session, [HEADS[1]]);
  const size = tokens.length * T;
  assert.deepEqual(alone, scores.slice(size, 2 * size));
});

Deno.test("align() leaves a session that goes on where the text ends", async () => {
  using device = openPortableDevice();
  using decoder = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(1);
  await session.setFeatures(features);
  await session.align(tokens.slice(0, 5), HEADS, OPTIONS);
  const continued = await session.step(tokens.slice(5, 6), 1, 5);
  const whole = await session.step(tokens.slice(0, 6), 1, 0);
  assert(relativeError(continued, whole) <= 1e-5);
});

/** Where blocks of 64 positions end and begin, the last ones mirrored, or too few to be; and all. */
const HELD = [1, 3, 4, 64, 65, 66, 67, 700, T];

for (const variant of variants()) {
  for (const threads of [1, 2]) {
    testWithLibrary(
      `align() agrees with the portable device's (${variant}, ${threads} threads)`,
      async () => {
        using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads });
        const { scores, probabilities } = await alignOn(device);
        const expected = await onPortable();
        // The keys are kept in whole numbers of 16 bits; measured 2e-5.
        assert(relativeError(scores, expected.scores) <= 1e-4);
        assert(relativeError(probabilities, expected.probabilities) <= 1e-4);
      },
    );

    testWithLibrary(
      `align() finds the path that TypeScript finds by the same scores (${variant}, ${threads} threads)`,
      async () => {
        using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads });
        using decoder = await device.loadDecoder(dims, demo.weights);
        using session = decoder.open(1);
        await session.setFeatures(features);
        for (const positions of HELD) {
          const { scores, entries } = await scored(session, [...HEADS], positions);
          const watched = { data: scores, heads: HEADS.length, tokens: tokens.length, positions: T };
          // Softmax differs in its last bit; nothing here hangs by that.
          assert.deepEqual(entries, alignmentPath(watched, { ...OPTIONS, positions }));
        }
      },
    );
  }
}

const DEVICES: readonly [name: string, open: () => Device][] = [["portable", openPortableDevice]];
if (variants().length > 0) {
  (DEVICES as [string, () => Device][]).push(["cpu", () => CpuDevice.open({ library: LIBRARY_PATH })]);
}

for (const [name, open] of DEVICES) {
  Deno.test(`align() refuses what does not fit the decoder (${name})`, async () => {
    using device = open();
    using decoder = await device.loadDecoder(dims, demo.weights);
    using session = decoder.open(1);
    const two = Int32Array.of(1, 2);
    const right = { start: 1, positions: T, vocabulary: V };
    await assert.rejects(session.align(two, HEADS, right), /features/);
    await session.setFeatures(features);
    type Heads = (readonly [number, number])[];
    const refusals: [Int32Array<ArrayBuffer>, Heads, Partial<AlignmentOptions>, RegExp][] = [
      [Int32Array.of(1), [[0, 0]], {}, /2…448 tokens, got 1/],
      [new Int32Array(449), [[0, 0]], {}, /2…448 tokens, got 449/],
      [Int32Array.of(1, V), [[0, 0]], {}, new RegExp(`got ${V}`)],
      [two, [], {}, /a head or more/],
      [two, [[dims.n_text_layer, 0]], {}, /got \[\d+,0\]/],
      [two, [[0, -1]], {}, /got \[0,-1\]/],
      [two, [[0, 0], [1, 0], [0, 0]], {}, /different heads/],
      [two, [[0, 0]], { vocabulary: 0 }, /vocabulary .* got 0/],
      [two, [[0, 0]], { vocabulary: V + 1 }, /vocabulary/],
      [two, [[0, 0]], { start: 0 }, /a start of 1…1 tokens, got 0/],
      [two, [[0, 0]], { start: 2 }, /a start of 1…1 tokens, got 2/],
      [two, [[0, 0]], { positions: 0 }, /1…1500 positions, got 0/],
      [two, [[0, 0]], { positions: 1.5 }, /1…1500 positions, got 1.5/],
      [two, [[0, 0]], { positions: T + 1 }, /1…1500 positions, got 1501/],
      [two, [[0, 0]], { scores: new Float32Array(T) }, /room for 3000 scores, got 1500/],
    ];
    for (const [tokens, heads, options, message] of refusals) {
      await assert.rejects(session.align(tokens, heads, { ...right, ...options }), {
        code: "E_OPTION",
        message,
      });
    }
  });
}
