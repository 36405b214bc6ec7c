// Subtitles and JSON of word times, byte for byte as openai-whisper writes them.

import assert from "node:assert/strict";
import { type SubtitleOptions, type TranscriptText, writeTranscript } from "../../decoder/mod.ts";
import { underlined } from "../../decoder/writers/word_subtitles.ts";
import { dataJson } from "./_data.ts";
import { camelCase } from "./_snake_case.ts";

const golden = await dataJson("word_subtitles.json");

/** openai-whisper's result under our names. */
function transcript(name: string): TranscriptText {
  const result = golden.results[name];
  // deno-lint-ignore no-explicit-any
  const segments = result.segments.map((segment: any) => ({
    ...segment,
    avgLogprob: segment.avg_logprob,
    compressionRatio: segment.compression_ratio,
    noSpeechProb: segment.no_speech_prob,
  }));
  return { ...result, segments };
}

for (const { result, options, ...files } of golden.files) {
  Deno.test(`writeTranscript() lays ${result} out as openai-whisper does: ${JSON.stringify(options)}`, () => {
    for (const format of ["srt", "vtt"] as const) {
      assert.equal(writeTranscript(transcript(result), format, camelCase(options)), files[format]);
    }
  });
}

for (const name of Object.keys(golden.results)) {
  Deno.test(`writeTranscript() writes the words of ${name} in JSON as openai-whisper does`, () => {
    assert.equal(writeTranscript(transcript(name), "json"), golden.json[name]);
  });
}

Deno.test("writeTranscript() lets no arrow into a cue of words", () => {
  const { segments: [segment] } = transcript("rare");
  const words = [" a", " --", ">"].map((word, i) => ({ word, start: i, end: i + 1, probability: 1 }));
  const text = writeTranscript({ text: "", language: "en", segments: [{ ...segment, words }] }, "srt");
  assert.equal(text, "1\n00:00:00,000 --> 00:00:03,000\na ->\n\n");
});

Deno.test("underlined() leaves white space before the word outside", () => {
  assert.equal(underlined(" a"), " <u>a</u>");
  assert.equal(underlined("\na b"), "\n<u>a b</u>");
  assert.equal(underlined(" "), " <u></u>");
  assert.equal(underlined(" a\n"), " <u>a</u>\n");
  assert.equal(underlined(" a\nb"), " a\nb");
});

Deno.test("writeTranscript() refuses options of subtitles that are out of range", () => {
  const wrong: SubtitleOptions[] = [{ maxLineWidth: 0 }, { maxLineCount: 1.5 }, { maxWordsPerLine: -1 }];
  for (const options of wrong) {
    assert.throws(() => writeTranscript(transcript("rare"), "srt", options), {
      code: "E_OPTION",
      message: new RegExp(Object.keys(options)[0]),
    });
  }
});
