import assert from "node:assert/strict";
import { underTypedNames, warningUnderTypedNames } from "../../cli/typed_names.ts";
import { SottoError } from "../../errors.ts";
import { assertRefused, DEMO_MODEL, eachCommand, recording, runCommand } from "../support/command.ts";

const typed = (message: string, hint = "") => {
  const error = underTypedNames(new SottoError("E_OPTION", message, { hint })) as SottoError;
  return [error.message, error.hint].join(" | ").replace(/ \| $/, "");
};

Deno.test("underTypedNames() names options as the command takes them, and leaves other words", () => {
  assert.equal(typed("Cannot use the options: beamSize must be 1"), "--beam_size must be 1");
  assert.equal(
    typed("Cannot use the options: language must be a language of Whisper's; got 3"),
    "--language must be a language of Whisper's; got 3",
  );
  assert.equal(
    typed(
      "Cannot use the options: patience needs beamSize; got patience 2",
      "Leave it, or leave patience out.",
    ),
    "--patience needs --beam_size; got patience 2 | Leave it, or leave --patience out.",
  );
  assert.equal(typed("Cannot use the options: --vad_threshold must be 1"), "--vad_threshold must be 1");
  assert.equal(
    typed("--seed must be whole", "--seed: of sampling"),
    "--seed must be whole | --seed: of sampling",
  );
});

Deno.test("underTypedNames() leaves other errors, and keeps what they came from", () => {
  const other = new SottoError("E_INPUT", "Cannot open beamSize.wav");
  assert.equal(underTypedNames(other), other);
  const defect = new TypeError("beamSize");
  assert.equal(underTypedNames(defect), defect);
  const error = new SottoError("E_OPTION", "beamSize");
  assert.equal((underTypedNames(error) as SottoError).cause, error);
});

Deno.test("warningUnderTypedNames() does so with warnings about options alone", () => {
  const message = "initialPrompt has 400 tokens";
  assert.equal(
    warningUnderTypedNames({ code: "W_OPTION", message }).message,
    "--initial_prompt has 400 tokens",
  );
  assert.equal(warningUnderTypedNames({ code: "W_MODEL", message }).message, message);
});

Deno.test("transcribe says what is wrong of options as they were typed, in one line", async (t) => {
  const cases: { name: string; message: RegExp }[] = [
    { name: "--temperature -1", message: /: --temperature must be 0 to 1: got -1\.\n/ },
    { name: "--temperature 1.5", message: /: --temperature must be 0 to 1: got 1\.5\.\n/ },
    {
      name: "--temperature 0.5 --beam_size 5",
      message: /: --beam_size needs --temperature 0; .*--best_of\.\n/,
    },
    { name: "--beam_size 0", message: /: --beam_size must be a whole number of 1…32/ },
    { name: "--language germn", message: /: --language must be .*\. Did you mean "german"\?/ },
    { name: "--batch_size 4 --clip_timestamps 1,2", message: /: --clip_timestamps cannot .* --batch_size\./ },
    { name: "--suppress_tokens 99999999", message: /: --suppress_tokens must be ids of 0…/ },
  ];
  const permissions = { read: [DEMO_MODEL] };
  const run = ({ name }: { name: string }) =>
    runCommand(["--model", DEMO_MODEL, "--device", "portable", ...name.split(" "), recording("01_command")], {
      permissions,
    });
  await eachCommand(t, cases, run, (result, { message }) => assertRefused(result, "E_OPTION", message));
});

Deno.test("transcribe cuts a prompt that is longer than the context from the left, and says so once", async () => {
  const prompt = `${"Berlin ".repeat(300)}The train to Paris`;
  const args = [
    "--model",
    DEMO_MODEL,
    "--device",
    "portable",
    "--initial_prompt",
    prompt,
    "--beam_size",
    "None",
  ];
  const result = await runCommand([...args, recording("01_command")], {
    permissions: { read: [DEMO_MODEL] },
  });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(
    result.stderr.match(/^W_OPTION: --initial_prompt has \d+ tokens and room for 223/gm)?.length,
    1,
  );
});
