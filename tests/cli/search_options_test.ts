import assert from "node:assert/strict";
import { parseArguments } from "../../cli/arguments.ts";
import { commandOptions } from "../../cli/command_options.ts";

/** What the command asks of the decoder. */
function asked(...args: string[]) {
  const { temperature, beamSize, bestOf, patience } =
    commandOptions(parseArguments(["a.wav", ...args])).transcription;
  const rounded = [temperature].flat().map((value) => Math.round(1000 * value!) / 1000);
  return { temperature: rounded, beamSize, bestOf, patience };
}

const ALL = [0, 0.2, 0.4, 0.6, 0.8, 1];

Deno.test("commandOptions() searches as openai-whisper's command does unless told otherwise", () => {
  assert.deepEqual(asked(), { temperature: ALL, beamSize: 5, bestOf: 5, patience: undefined });
  assert.deepEqual(asked("--beam_size", "None").beamSize, null);
  assert.deepEqual(asked("--patience", "2").patience, 2);
});

Deno.test("commandOptions() raises the temperature up to 1", () => {
  assert.deepEqual(asked("--temperature", "0.5").temperature, [0.5, 0.7, 0.9]);
  assert.deepEqual(asked("--temperature_increment_on_fallback", "0.5").temperature, [0, 0.5, 1]);
  assert.deepEqual(asked("--temperature_increment_on_fallback", "None").temperature, [0]);
  assert.deepEqual(asked("--temperature", "1").temperature, [1]);
});

Deno.test("commandOptions() asks for beams and samples only where a temperature takes them", () => {
  const cold = asked("--temperature_increment_on_fallback", "None");
  assert.deepEqual([cold.beamSize, cold.bestOf], [5, undefined]);
  const hot = asked("--temperature", "0.2");
  assert.deepEqual([hot.beamSize, hot.bestOf], [undefined, 5]);
});

Deno.test("commandOptions() refuses what contradicts itself", () => {
  const refused = (message: RegExp, ...args: string[]) =>
    assert.throws(() => asked(...args), { code: "E_OPTION", message });
  refused(
    /bestOf needs a temperature above 0/,
    "--best_of",
    "3",
    "--temperature_increment_on_fallback",
    "None",
  );
  refused(/beamSize needs temperature 0/, "--beam_size", "3", "--temperature", "0.2");
  refused(/patience needs beamSize/, "--patience", "2", "--beam_size", "None");
  refused(/must be above 0, or None/, "--temperature_increment_on_fallback", "0");
  refused(/--temperature must be 0 to 1/, "--temperature", "2");
  refused(/multilingual and language/, "--multilingual", "--language", "de");
});

Deno.test("commandOptions() leaves the language to be found out if it is auto, None or not given", () => {
  const language = (...args: string[]) =>
    commandOptions(parseArguments(["a.wav", ...args])).transcription.language;
  assert.deepEqual([language(), language("--language", "auto"), language("--language", "None")], [
    null,
    null,
    null,
  ]);
  assert.equal(language("--language", "de"), "de");
});
