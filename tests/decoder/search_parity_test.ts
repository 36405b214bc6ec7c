// Beam search, patience, length penalty and fallback on whole recordings, against openai-whisper's transcribe().

import assert from "node:assert/strict";
import { parseLanguage } from "../../decoder/mod.ts";
import { dataJson } from "./_data.ts";
import { assertSameTranscript, type GoldenTranscript } from "./_golden_transcript.ts";
import { camelCase, type SnakeCaseOptions } from "./_snake_case.ts";
import { DemoTranscriber } from "./_transcribe_demo.ts";

interface Run {
  clip: string;
  options: SnakeCaseOptions;
}

/** `hot` runs reach temperatures above 0, where texts are up to chance: what the rules decide is compared. */
interface Golden {
  runs: (Run & { result: GoldenTranscript })[];
  hot: (Run & { temperatures: number[] })[];
}

Deno.test("transcribeWindows() searches as openai-whisper does", async (t) => {
  const { runs, hot }: Golden = await dataJson("search.json");
  await using demo = await DemoTranscriber.load();
  for (const { clip, options, result } of runs) {
    await t.step(`${clip} ${JSON.stringify(options)}`, async () => {
      const golden = { ...result, language: parseLanguage(result.language) };
      assertSameTranscript(await demo.transcribe(clip, { temperature: 0, ...camelCase(options) }), golden);
    });
  }
  for (const { clip, options, temperatures } of hot) {
    await t.step(`${clip} ${JSON.stringify(options)}`, async () => {
      const { segments } = await demo.transcribe(clip, camelCase(options));
      assert.deepEqual([...new Set(segments.map(({ temperature }) => temperature))], temperatures);
    });
  }
});

Deno.test("transcribeWindows() takes the likeliest of its samples, of which the first is the same for any number", async () => {
  await using demo = await DemoTranscriber.load();
  const hot = { language: "en", temperature: 1, conditionOnPreviousText: false, seed: 3 };
  const run = async (bestOf: number | null) =>
    (await demo.transcribe("01_command", { ...hot, bestOf })).segments[0];
  const [one, alone, five, again] = [await run(1), await run(null), await run(5), await run(5)];
  assert.deepEqual(alone, one);
  assert.deepEqual(again, five);
  const score = (segment: typeof one) => segment.avgLogprob;
  // The first of five samples is the one, and the likeliest for its length is taken.
  assert(score(five) >= score(one) - 0.05, `${score(five)} against ${score(one)}`);
});
