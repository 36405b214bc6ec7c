// Whole recordings through mel, encoder and decoder, against openai-whisper's transcribe().

import { parseLanguage } from "../../decoder/mod.ts";
import { testWithData } from "../support/shared_data.ts";
import { dataJson } from "./_data.ts";
import { assertSameTranscript, type GoldenTranscript } from "./_golden_transcript.ts";
import { camelCase, type SnakeCaseOptions } from "./_snake_case.ts";
import { DemoTranscriber } from "./_transcribe_demo.ts";

const RUNS = [
  "previous_text",
  "no_previous_text",
  "translate",
  "beam_5",
  "word_timestamps",
  "no_previous_text_word_timestamps",
];

for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
  const name = `transcribeWindows() transcribes ${clip} as openai-whisper does`;
  testWithData(name, [`parity/${clip}.json`], async (path) => {
    const golden = JSON.parse(await Deno.readTextFile(path)).transcribe;
    await using demo = await DemoTranscriber.load();
    for (const run of RUNS.filter((run) => run in golden)) {
      assertSameTranscript(await demo.transcribe(clip, camelCase(golden[run].options)), golden[run].result);
    }
  });
}

/** One run of `tests/data/decoder/options.json`. */
interface OptionRun {
  clip: string;
  options: SnakeCaseOptions;
  result: GoldenTranscript;
}

Deno.test("transcribeWindows() follows openai-whisper under every option", async (t) => {
  const runs: OptionRun[] = await dataJson("options.json");
  await using demo = await DemoTranscriber.load();
  for (const { clip, options, result } of runs) {
    await t.step(`${clip} ${JSON.stringify(options).slice(0, 120)}`, async () => {
      // openai-whisper returns a language's name where it was given one; we return its code always.
      const golden = { ...result, language: parseLanguage(result.language) };
      // The runs were made at one temperature.
      assertSameTranscript(await demo.transcribe(clip, { temperature: 0, ...camelCase(options) }), golden);
    });
  }
});
