// No option of the command is without effect: each changes what the model, the transcription or the output is told.

import assert from "node:assert/strict";
import { parseArguments } from "../../cli/arguments.ts";
import { commandOptions } from "../../cli/command_options.ts";
import { OPTION_TABLE } from "../../cli/option_table.ts";

/** A value other than the default for each kind; options whose values are narrower have their own. */
const VALUES: Readonly<Record<string, string>> = {
  device: "portable",
  precision: "f32",
  npu_precision: "bf16",
  task: "translate",
  condition_on_previous_text: "False",
  suppress_blank: "False",
  verbose: "False",
  temperature: "0.25",
  beam_size: "3",
  patience: "2.5",
  length_penalty: "0.5",
  max_initial_timestamp: "0.5",
  no_speech_threshold: "0.25",
  language: "de",
  language_detection_threshold: "0.25",
  suppress_tokens: "1,2",
  clip_timestamps: "1,2",
  output_format: "srt",
  vad_neg_threshold: "0.1",
  vad_threshold: "0.25",
  loop_threshold: "7",
};

/** What an option needs beside it. */
const WITH: readonly [name: RegExp, args: readonly string[]][] = [
  [/^npu_/, ["--device", "npu-emulated"]],
  [/^patience$/, ["--beam_size", "3"]],
  [/^vad_(?!filter)/, ["--vad_filter", "True"]],
  [/^(highlight_words|max_\w+_(width|count|line)|hallucination_\w+)$/, ["--word_timestamps", "True"]],
  [/^resume$/, ["-o", "out"]],
  [/^carry_initial_prompt$/, ["--initial_prompt", "a"]],
];

/** What does not go into the options: what is looked at before them. */
const BEFORE: readonly string[] = ["help", "debug", "stdin_pcm"];

const entries = Object.values(OPTION_TABLE).flat().filter(({ name }) => !BEFORE.includes(name));

for (const { name, kind } of entries) {
  Deno.test(`--${name} reaches what it is for`, () => {
    const value = VALUES[name] ?? (kind === "text" ? "somewhere" : kind === "boolean" ? "True" : "2");
    const beside = WITH.find(([pattern]) => pattern.test(name))?.[1] ?? [];
    const told = (...args: string[]) =>
      JSON.stringify(commandOptions(parseArguments([...beside, ...args, "a.wav"])));
    assert.notEqual(told(`--${name}`, value), told());
  });
}
