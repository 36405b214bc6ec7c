// One window of each recording, from the golden features of its encoder, against what openai-whisper wrote for them.

import assert from "node:assert/strict";
import { decodeWindow, detectLanguage } from "../../decoder/mod.ts";
import { readGolden } from "../support/golden.ts";
import { testWithData } from "../support/shared_data.ts";
import { demoTextModel } from "./_demo_model.ts";

/** Ours are F64 sums of another device's F32 logits; theirs are rounded to six decimals. */
const TOLERANCE = 1e-3;

interface GoldenResult {
  text: string;
  tokens: number[];
  language: string;
  avg_logprob: number;
  no_speech_prob: number;
  compression_ratio: number;
}

function near(actual: number, expected: number, name: string): void {
  assert(Math.abs(actual - expected) <= TOLERANCE, `${name}: ${actual}, openai-whisper has ${expected}`);
}

for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
  const data = [`parity/${clip}.json`, `parity/${clip}.safetensors`];
  testWithData(
    `decodeWindow() writes what openai-whisper writes for ${clip}`,
    data,
    async (json, tensors) => {
      const golden = JSON.parse(await Deno.readTextFile(json));
      const { encoder } = await readGolden(tensors);
      using model = await demoTextModel();
      for (
        const [name, options] of [
          ["greedy", {}],
          ["greedy_without_timestamps", { withoutTimestamps: true }],
          ["beam_5", { beamSize: 5 }],
        ] as const
      ) {
        const expected: GoldenResult = golden[name];
        const result = await decodeWindow(model, encoder, { language: golden.language, ...options });
        assert.deepEqual(result.tokens, expected.tokens);
        assert.equal(result.text, expected.text);
        assert.equal(result.language, expected.language);
        assert.equal(result.temperature, 0);
        near(result.avgLogprob, expected.avg_logprob, `${name} avg_logprob`);
        near(result.noSpeechProb, expected.no_speech_prob, `${name} no_speech_prob`);
        assert.equal(Math.round(result.compressionRatio * 1e6) / 1e6, expected.compression_ratio);
      }
    },
  );

  testWithData(`detectLanguage() hears the language of ${clip}`, data, async (json, tensors) => {
    const golden = JSON.parse(await Deno.readTextFile(json));
    const { encoder } = await readGolden(tensors);
    using model = await demoTextModel();
    const { language, probabilities } = await detectLanguage(model, encoder);
    assert.equal(language, golden.language);
    assert.deepEqual(Object.keys(probabilities).sort(), Object.keys(golden.language_probability).sort());
    for (const [code, expected] of Object.entries<number>(golden.language_probability)) {
      near(probabilities[code], expected, code);
    }
    const undecided = await decodeWindow(model, encoder);
    assert.equal(undecided.language, golden.language);
    assert.deepEqual(undecided.detection, { language, probabilities });
    assert.deepEqual(undecided.tokens, golden.greedy.tokens);
  });
}
