import assert from "node:assert/strict";
import { parseArguments } from "../../cli/arguments.ts";
import { commandOptions } from "../../cli/command_options.ts";

const options = (...args: string[]) => commandOptions(parseArguments(["a.wav", ...args]));

Deno.test("commandOptions() asks for no word times unless told to", () => {
  const { transcription, subtitles, warnings } = options();
  assert.equal(transcription.wordTimestamps, false);
  assert.deepEqual({ ...subtitles }, {
    highlightWords: false,
    maxLineWidth: undefined,
    maxLineCount: undefined,
    maxWordsPerLine: undefined,
    readable: false,
  });
  assert.deepEqual(warnings, []);
});

Deno.test("commandOptions() sorts the options of words", () => {
  const { transcription, subtitles } = options(
    ...["--word_timestamps", "True", "--append_punctuations", ".,", "--prepend_punctuations", ""],
    ...["--hallucination_silence_threshold", "2.5", "--highlight_words", "True"],
    ...["--max_line_width", "40", "--max_line_count", "2", "--max_words_per_line", "None"],
  );
  assert.deepEqual(
    [transcription.prependPunctuations, transcription.appendPunctuations],
    ["", ".,"],
  );
  assert.equal(transcription.wordTimestamps, true);
  assert.equal(transcription.hallucinationSilenceThreshold, 2.5);
  assert.deepEqual(subtitles, {
    highlightWords: true,
    maxLineWidth: 40,
    maxLineCount: 2,
    maxWordsPerLine: null,
    readable: false,
  });
});

Deno.test("commandOptions() refuses options of words without word times", () => {
  const needy = [
    ["--highlight_words", "True"],
    ["--max_line_width", "40"],
    ["--max_line_count", "2"],
    ["--max_words_per_line", "3"],
    ["--hallucination_silence_threshold", "0"],
  ];
  for (const args of needy) {
    assert.throws(() => options(...args), {
      code: "E_OPTION",
      message: `${args[0]} needs word times`,
      hint: "Add --word_timestamps True.",
    });
  }
  options("--highlight_words", "False", "--max_line_width", "None");
});

Deno.test("commandOptions() refuses options of words that are out of range", () => {
  for (
    const args of [["--max_line_width", "0"], ["--max_line_count", "1.5"], ["--max_words_per_line", "-1"]]
  ) {
    assert.throws(() => options("--word_timestamps", ...args), {
      code: "E_OPTION",
      message: new RegExp(`${args[0]} must be a positive integer; got ${args[1]}`),
    });
  }
  assert.throws(() => options("--word_timestamps", "--hallucination_silence_threshold", "-1"), {
    code: "E_OPTION",
  });
});

Deno.test("commandOptions() warns of options of words that have no effect", () => {
  const warnings = (...args: string[]) => options("--word_timestamps", ...args).warnings;
  assert.match(warnings("--max_line_count", "2").join(), /max_line_count has no effect without/);
  const all = ["--max_line_count", "2", "--max_line_width", "40", "--max_words_per_line", "3"];
  assert.match(warnings(...all).join(), /max_words_per_line has no effect with/);
  assert.deepEqual(warnings("--max_line_width", "40", "--max_words_per_line", "3"), []);
});
