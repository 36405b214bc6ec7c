import assert from "node:assert/strict";
import { parseArguments } from "../../cli/arguments.ts";
import { commandOptions } from "../../cli/command_options.ts";
import { helpText } from "../../cli/help.ts";
import { ABSENT_OPTIONS, OPTION_TABLE } from "../../cli/option_table.ts";
import { SottoError } from "../../errors.ts";

const refusal = (code: string, ...words: string[]) => (error: unknown): boolean => {
  assert.ok(error instanceof SottoError);
  assert.equal(error.code, code);
  for (const word of words) assert.match(`${error.message} ${error.hint}`, new RegExp(word));
  return true;
};

Deno.test("parseArguments() takes values behind a space, an equals sign and a short name", () => {
  const { values, files } = parseArguments([
    "a.mp3",
    "--model",
    "tiny",
    "--language=de",
    "-o",
    "out",
    "b.wav",
  ]);
  assert.deepEqual(files, ["a.mp3", "b.wav"]);
  assert.equal(values.get("model"), "tiny");
  assert.equal(values.get("language"), "de");
  assert.equal(values.get("output_dir"), "out");
});

Deno.test("parseArguments() takes dashes for underscores", () => {
  const { values } = parseArguments(["--initial-prompt", "Hello", "--condition-on-previous-text=False"]);
  assert.equal(values.get("initial_prompt"), "Hello");
  assert.equal(values.get("condition_on_previous_text"), false);
});

Deno.test("parseArguments() takes booleans with and without a value", () => {
  const flag = (...args: string[]) => parseArguments(args);
  assert.equal(flag("--offline").values.get("offline"), true);
  assert.equal(flag("--offline", "True").values.get("offline"), true);
  assert.equal(flag("--verbose", "false").values.get("verbose"), false);
  const behind = flag("--offline", "talk.wav");
  assert.equal(behind.values.get("offline"), true);
  assert.deepEqual(behind.files, ["talk.wav"]);
});

Deno.test("parseArguments() takes negative numbers and None as values", () => {
  const { values } = parseArguments([
    "--suppress_tokens",
    "-1",
    "--logprob_threshold",
    "-2.5",
    "--no_speech_threshold",
    "None",
  ]);
  assert.equal(values.get("suppress_tokens"), "-1");
  assert.equal(values.get("logprob_threshold"), -2.5);
  assert.equal(values.get("no_speech_threshold"), null);
});

Deno.test("parseArguments() takes - as a file and everything behind -- as files", () => {
  assert.deepEqual(parseArguments(["-", "--", "--model", "-o"]).files, ["-", "--model", "-o"]);
});

Deno.test("parseArguments() suggests the nearest option", () => {
  assert.throws(
    () => parseArguments(["--langage", "de"]),
    refusal("E_OPTION", "--langage", "Did you mean --language"),
  );
  assert.throws(() => parseArguments(["--xyzzy"]), refusal("E_OPTION", "--xyzzy", "--help"));
  assert.throws(() => parseArguments(["-x"]), refusal("E_OPTION", "-x"));
});

Deno.test("parseArguments() says what is missing of openai-whisper's options", () => {
  for (const name of Object.keys(ABSENT_OPTIONS)) {
    assert.throws(() => parseArguments([`--${name}`, "1"]), refusal("E_OPTION", name, "openai-whisper"));
  }
});

Deno.test("parseArguments() refuses values of another kind", () => {
  assert.throws(() => parseArguments(["--threads", "two"]), refusal("E_OPTION", "--threads", "two"));
  assert.throws(() => parseArguments(["--threads", "1.5"]), refusal("E_OPTION", "whole number"));
  assert.throws(() => parseArguments(["--temperature", ""]), refusal("E_OPTION", "a number"));
  assert.throws(() => parseArguments(["--verbose=maybe"]), refusal("E_OPTION", "True or False"));
  assert.throws(() => parseArguments(["--task", "translat"]), refusal("E_OPTION", '"translate"'));
  assert.throws(() => parseArguments(["--device", "cpu,portable"]), refusal("E_OPTION", "cpu,portable"));
  assert.throws(() => parseArguments(["--model"]), refusal("E_OPTION", "--model needs a value"));
});

Deno.test("commandOptions() writes nothing unless a folder or a format is given", () => {
  const output = (...args: string[]) => commandOptions(parseArguments(["a.wav", ...args])).output;
  assert.equal(output(), null);
  assert.deepEqual(output("-o", "x"), { folder: "x", formats: ["txt", "vtt", "srt", "tsv", "json"] });
  assert.deepEqual(output("-f", "srt"), { folder: ".", formats: ["srt"] });
  assert.deepEqual(output("-f", "json,txt"), { folder: ".", formats: ["txt", "json"] });
});

Deno.test("commandOptions() refuses no file, standard input twice and values out of range", () => {
  const options = (...args: string[]) => () => commandOptions(parseArguments(args));
  assert.throws(options(), refusal("E_OPTION", "no file"));
  assert.throws(options("-", "-"), refusal("E_OPTION", "once"));
  assert.throws(options("a.wav", "--temperature", "-1"), refusal("E_OPTION", "temperature"));
  assert.throws(options("a.wav", "--language", "Germann"), refusal("E_OPTION", "[Gg]erman"));
});

Deno.test("helpText() names every option within 100 columns", () => {
  const text = helpText();
  for (const { name } of Object.values(OPTION_TABLE).flat()) assert.ok(text.includes(`--${name}`), name);
  for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
});
