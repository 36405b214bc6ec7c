// The language of recordings, through the whole model.

import assert from "node:assert/strict";
import { loadModel } from "../../mod.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { DEMO_MODEL, recording } from "../support/command.ts";

const options = HAS_LIBRARY ? { library: LIBRARY_PATH } : { device: "portable" as const };

Deno.test("transcribe() lets windows vote on the language, and says the probabilities", async () => {
  using model = await loadModel(DEMO_MODEL, options);
  const votes = { languageDetectionSegments: 3, languageDetectionThreshold: 1, temperature: 0 };
  const { language, languageProbabilities, segments } = await model.transcribe(recording("09_long"), votes);
  assert.equal(language, "en");
  const sum = Object.values(languageProbabilities!).reduce((a, b) => a + b);
  assert(Math.abs(sum - 1) < 1e-6);
  const told = await model.transcribe(recording("09_long"), { language: "en", temperature: 0 });
  assert.deepEqual(segments, told.segments);
});

Deno.test("transcribe() finds the language of each window if multilingual", async () => {
  using model = await loadModel(DEMO_MODEL, options);
  const german = await model.transcribe(recording("06_german"), { multilingual: true });
  assert.deepEqual(german.segments.map(({ language }) => language), ["de"]);
  assert.equal(german.language, "de");
  const english = await model.transcribe(recording("08_commands"), { multilingual: true });
  assert(english.segments.length > 0 && english.segments.every(({ language }) => language === "en"));
});
