// Decoders with OpenAI's true vocabularies and random weights: logits, languages and token paths as openai-whisper's.

import assert from "node:assert/strict";
import {
  type DecodeOptions,
  decodeWindow,
  detectLanguage,
  type TextModel,
  Tokenizer,
} from "../../decoder/mod.ts";
import type { DeviceName } from "../../kernels/device.ts";
import { openDevice } from "../../kernels/select.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { dataJson } from "./_data.ts";

import { randomWeights, uniform } from "./_random_model.ts";
import { camelCase } from "./_snake_case.ts";

/** Weights this far from a trained model's make logits of ±20 that show the last bits of F32 sums and of cached keys. */
const TOLERANCE = 2e-3;

function near(actual: number, expected: number, what: string): void {
  assert(
    Math.abs(actual - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );
}

interface GoldenRun {
  options: Record<string, unknown>;
  language: string;
  tokens: number[];
  text: string;
  avg_logprob: number;
  no_speech_prob: number;
  compression_ratio: number;
}

interface GoldenWindow {
  start: number[];
  logits: [ids: number[], values: number[]][];
  languages: Record<string, number> | null;
  runs: GoldenRun[];
}

interface Golden {
  state: number;
  heads: number;
  layers: number;
  models: Record<string, { n_vocab: number; windows: GoldenWindow[] }>;
}

const golden: Golden = await dataJson("random_model.json");

/** A random decoder on a device; dispose of it. */
async function randomModel(name: string, device: DeviceName): Promise<TextModel & Disposable> {
  const { state, heads, layers, models } = golden;
  const dims = {
    n_audio_ctx: 1500,
    n_vocab: models[name].n_vocab,
    n_text_ctx: 448,
    n_text_state: state,
    n_text_head: heads,
    n_text_layer: layers,
  };
  const vocabulary = name === "english" ? "gpt2" : "multilingual";
  const tokenizer = await Tokenizer.fromBundled(vocabulary, { vocabularySize: dims.n_vocab });
  using stack = new DisposableStack();
  const opened = stack.use(await openDevice(device, { library: LIBRARY_PATH }));
  const decoder = stack.use(await opened.loadDecoder(dims, randomWeights(dims, tokenizer.special.eot)));
  const owned = stack.move();
  return { tokenizer, decoder, [Symbol.dispose]: () => owned.dispose() };
}

/** What the model computes after the start sequence. */
async function checkLogits(
  { decoder }: TextModel,
  features: Float32Array<ArrayBuffer>,
  window: GoldenWindow,
) {
  using session = decoder.open(1);
  await session.setFeatures(features);
  const rows = window.start.map((_, row) => row);
  const logits = await session.step(Int32Array.from(window.start), 1, 0, rows);
  const V = logits.length / rows.length;
  window.logits.forEach(([ids, values], row) => {
    ids.forEach((id, i) => near(logits[row * V + id], values[i], `logit ${id} of row ${row}`));
    const highest = logits.subarray(row * V, (row + 1) * V).reduce((a, b) => Math.max(a, b));
    near(highest, values[0], `highest of row ${row}`);
  });
}

async function checkRun(
  model: TextModel,
  features: Float32Array<ArrayBuffer>,
  run: GoldenRun,
): Promise<void> {
  const result = await decodeWindow(model, features, {
    sampleLen: 40,
    ...camelCase(run.options) as DecodeOptions,
  });
  assert.deepEqual(result.tokens, run.tokens);
  assert.equal(result.text, run.text);
  assert.equal(result.language, run.language);
  near(result.avgLogprob, run.avg_logprob, "avg_logprob");
  near(result.noSpeechProb, run.no_speech_prob, "no_speech_prob");
  near(result.compressionRatio, run.compression_ratio, "compression_ratio");
}

for (const name of Object.keys(golden.models)) {
  Deno.test({
    name: `a random model with the ${name} vocabulary writes what openai-whisper writes with it`,
    ignore: !HAS_LIBRARY,
    fn: async (t) => {
      using model = await randomModel(name, "cpu");
      for (const [i, window] of golden.models[name].windows.entries()) {
        const features = uniform(`features ${i}`, 1500 * golden.state).map((value) => value * 4);
        await t.step(`window ${i}: logits`, () => checkLogits(model, features, window));
        if (window.languages) {
          await t.step(`window ${i}: languages`, async () => {
            const { probabilities } = await detectLanguage(model, features);
            assert.deepEqual(Object.keys(probabilities).sort(), Object.keys(window.languages!).sort());
            for (const [code, p] of Object.entries(window.languages!)) near(probabilities[code], p, code);
          });
        }
        for (const run of window.runs) {
          await t.step(`window ${i}: ${JSON.stringify(run.options)}`, () => checkRun(model, features, run));
        }
      }
    },
  });
}

Deno.test("a random multilingual model on the portable device writes what openai-whisper writes with it", async () => {
  using model = await randomModel("multilingual", "portable");
  const [window] = golden.models.multilingual.windows;
  const features = uniform("features 0", 1500 * golden.state).map((value) => value * 4);
  await checkLogits(model, features, window);
  for (const run of window.runs.slice(0, 2)) await checkRun(model, features, run);
});

Deno.test("detectLanguage() asks nothing of an English-only model", async () => {
  using model = await randomModel("english", "portable");
  const features = new Float32Array(1500 * golden.state);
  await assert.rejects(detectLanguage(model, features), { code: "E_OPTION", message: /English-only/ });
  const result = await decodeWindow(model, features, { sampleLen: 2 });
  assert.deepEqual([result.language, result.detection], ["en", null]);
});
