// Word times of whole recordings, against openai-whisper's transcribe().

import assert from "node:assert/strict";
import { dataJson } from "./_data.ts";
import { assertSameTranscript } from "./_golden_transcript.ts";
import { camelCase } from "./_snake_case.ts";
import { demoSamples, DemoTranscriber } from "./_transcribe_demo.ts";
import { assertInOrder } from "./_words_in_order.ts";

/** Seconds of noise: the samples that `make_words.py` makes. */
function noise(seconds: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: Math.floor(seconds * 16_000) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.0316;
  });
}

/** A recording by its parts: a bundled one by name, seconds of silence, or, below 0, of noise. */
async function recordingOf(parts: readonly (string | number)[]): Promise<Float32Array> {
  const samples: Float32Array[] = [];
  for (const part of parts) {
    if (typeof part === "string") samples.push(await demoSamples(part));
    else samples.push(part < 0 ? noise(-part) : new Float32Array(Math.floor(part * 16_000)));
  }
  const whole = new Float32Array(samples.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of samples) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

Deno.test("transcribeWindows() times words as openai-whisper does", async (t) => {
  await using demo = await DemoTranscriber.load();
  for (const { parts, options, result } of await dataJson("word_runs.json")) {
    await t.step(`${parts.join(" ")} ${JSON.stringify(options)}`, async () => {
      const run = { temperature: 0, wordTimestamps: true, ...camelCase(options) };
      const ours = await demo.transcribe(await recordingOf(parts), run);
      assertInOrder(ours.segments);
      assertSameTranscript(ours, result);
    });
  }
});

Deno.test("transcribeWindows() keeps words in order whatever the length of a recording", async (t) => {
  await using demo = await DemoTranscriber.load();
  const samples = await demoSamples("09_long");
  for (const seconds of [0.01, 0.03, 0.05, 2.345, 29.99, 30, 30.01, 45.2]) {
    await t.step(`${seconds} s`, async () => {
      const part = samples.slice(0, Math.round(seconds * 16_000));
      for (const hallucinationSilenceThreshold of [null, 0.5]) {
        const { segments } = await demo.transcribe(part, {
          language: "en",
          temperature: 0,
          noSpeechThreshold: null,
          wordTimestamps: true,
          hallucinationSilenceThreshold,
        });
        assertInOrder(segments);
        const text = segments.map(({ text }) => text).join("");
        assert.equal(segments.flatMap(({ words }) => words!.map(({ word }) => word)).join(""), text);
      }
    });
  }
});
