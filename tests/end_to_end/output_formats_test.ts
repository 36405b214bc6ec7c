// The command's files for the 79 s recording against those of openai-whisper's own writers.

import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const at = (path: string): string => new URL(path, PROJECT_ROOT).pathname;
const expected = (format: string): string => at(`tests/data/decoder/09_long.${format}`);

interface JsonTranscript {
  text: string;
  language: string;
  segments: Record<string, unknown>[];
}

/** Numbers that hang on the last bits of the logits. */
const PROBABILITIES = ["avg_logprob", "no_speech_prob"];

/** How the reference was decoded. */
const GREEDY = [
  "--beam_size=None",
  "--temperature_increment_on_fallback=None",
  "--condition_on_previous_text=False",
];

Deno.test("transcribe.ts writes 09_long in every format as openai-whisper does", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", at("examples/transcribe.ts"), ...GREEDY, "-o", folder]
        .concat(
          "--model",
          at("models/demo"),
          "--language",
          "en",
          "--precision",
          "f32",
          at("models/demo/audio/09_long.wav"),
        ),
      stderr: "inherit",
    });
    const { code, stdout } = await command.output();
    assert.equal(code, 0);
    assert.equal(new TextDecoder().decode(stdout).trim().split("\n").length, 23);
    assert.deepEqual(
      Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(),
      ["json", "srt", "tsv", "txt", "vtt"].map((format) => `09_long.${format}`),
    );
    for (const format of ["txt", "vtt", "srt", "tsv"]) {
      const ours = await Deno.readTextFile(join(folder, `09_long.${format}`));
      assert.equal(ours, await Deno.readTextFile(expected(format)), format);
    }
    const read = async (path: string): Promise<JsonTranscript> => JSON.parse(await Deno.readTextFile(path));
    const [ours, theirs] = [await read(join(folder, "09_long.json")), await read(expected("json"))];
    for (const segment of ours.segments) {
      const want = theirs.segments[segment.id as number];
      assert.deepEqual(Object.keys(segment), Object.keys(want));
      for (const name of PROBABILITIES) {
        assert(
          Math.abs((segment[name] as number) - (want[name] as number)) < 1e-3,
          `${name} of ${segment.id}`,
        );
      }
      // The reference's floats are rounded to six decimals.
      const rest = Object.entries(segment).filter(([name]) => !PROBABILITIES.includes(name));
      for (const [name, value] of rest) {
        if (typeof value === "number") {
          assert(Math.abs(value - (want[name] as number)) < 1e-6, `${name} of ${segment.id}`);
        } else assert.deepEqual(value, want[name]);
      }
    }
    assert.equal(ours.segments.length, theirs.segments.length);
    assert.equal(ours.text, theirs.text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
