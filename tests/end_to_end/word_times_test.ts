// Times of words from the file to the result, on every device, and from the command to its subtitles.

import assert from "node:assert/strict";
import { join } from "node:path";
import { loadModel, probeDevices } from "../../mod.ts";
import { dataJson } from "../decoder/_data.ts";
import { assertSameTranscript } from "../decoder/_golden_transcript.ts";
import { assertInOrder } from "../decoder/_words_in_order.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const at = (path: string): string => new URL(path, PROJECT_ROOT).pathname;
const [english, german, translated] = await dataJson("word_runs.json");

/** Devices that compute in F32. An NPU does not; what it makes of words is held to the CPU's in `tests/npu`. */
const exact = (await probeDevices()).filter(({ name }) => name === "cpu" || name === "portable");

for (const { name, usable, detail } of exact) {
  if (!usable) console.log(`skipped: times of words on ${name} (${detail})`);
  Deno.test({
    name: `model.transcribe() times words as openai-whisper does (${name})`,
    ignore: !usable,
    fn: async () => {
      using model = await loadModel(at("models/demo"), { device: name, precision: "f32" });
      for (
        const { parts: [clip], options: { language, task }, result } of [english, german, translated]
      ) {
        const options = { language, task, temperature: 0, wordTimestamps: true };
        const ours = await model.transcribe(at(`models/demo/audio/${clip}.wav`), options);
        assertInOrder(ours.segments);
        assertSameTranscript({ ...ours, language }, { ...result, language });
        assert.deepEqual(ours.run.warnings.map(({ code }) => code), task === "translate" ? ["W_OPTION"] : []);
      }
    },
  });
}

Deno.test("transcribe.ts lays out the words of 09_long as openai-whisper does", async () => {
  const { files } = await dataJson("word_subtitles.json");
  const layout = { max_line_width: 16, max_line_count: 3, highlight_words: true };
  const golden = files.find((file: { result: string; options: unknown }) =>
    file.result === "long" && JSON.stringify(file.options) === JSON.stringify(layout)
  );
  const folder = await Deno.makeTempDir();
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        at("examples/transcribe.ts"),
        "--model",
        at("models/demo"),
        "-o",
        folder,
      ]
        .concat(
          "-f",
          "srt,vtt",
          "--precision",
          "f32",
          "--language",
          "en",
          "--condition_on_previous_text",
          "False",
        )
        .concat(
          "--beam_size",
          "None",
          "--temperature_increment_on_fallback",
          "None",
          "--word_timestamps",
          "True",
        )
        .concat("--max_line_width", "16", "--max_line_count", "3", "--highlight_words", "True")
        .concat(at("models/demo/audio/09_long.wav")),
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    for (const format of ["srt", "vtt"]) {
      assert.equal(await Deno.readTextFile(join(folder, `09_long.${format}`)), golden[format]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
