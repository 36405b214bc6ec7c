import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertDone,
  assertRefused,
  DEMO_MODEL,
  eachCommand,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  runCommand,
  startCommand,
} from "../support/command.ts";
import { changedJson, modelWith } from "./_broken_model.ts";

const SENTENCE =
  /\[00:00\.000 --> 00:04\.300\] {2}The train to Paris leaves at three twenty-four from platform/;
const COMMAND = recording("01_command");
const reading = { permissions: permissionsFor([]) };

Deno.test("transcribe prints segments on standard output and one line about the run on standard error", async () => {
  const result = await runCommand(["--model", DEMO_MODEL, COMMAND], reading);
  assertDone(result);
  assert.match(result.stdout, SENTENCE);
  assert.equal(result.stdout.trimEnd().split("\n").length, 1);
  assert.match(
    result.stderr,
    /^(W_DEVICE: .*\n)?(cpu|portable): .* · 5\.0 s of audio in .* × real time .*\n$/,
  );
});

Deno.test("transcribe --help needs no permission, shows options and examples", async () => {
  for (const flag of ["--help", "-h"]) {
    const { code, stdout, stderr } = await runCommand([flag]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /Usage: .*examples\/transcribe\.ts \[options\] FILE…/);
    assert.match(stdout, /--initial_prompt TEXT/);
    assert.match(stdout, /Examples\n {2}transcribe\.ts talk\.mp3\n/);
  }
});

Deno.test("transcribe refuses wrong options before it reads anything", async (t) => {
  const cases: { name: string; args: string[]; message: RegExp }[] = [
    { name: "no arguments", args: [], message: /no file to transcribe\. --help shows examples/ },
    {
      name: "an unknown option",
      args: ["--langage", "de", COMMAND],
      message: /--langage.*Did you mean --language\?/,
    },
    {
      name: "one with dashes",
      args: ["--initial-promt", "x", COMMAND],
      message: /Did you mean --initial_prompt\?/,
    },
    { name: "one of openai-whisper's", args: ["--fp16", "True", COMMAND], message: /openai-whisper/ },
    { name: "a missing value", args: [COMMAND, "--model"], message: /--model needs a value/ },
    { name: "an unknown language", args: ["--language", "Germann", COMMAND], message: /[Gg]erman/ },
    { name: "an unknown task", args: ["--task", "summarize", COMMAND], message: /transcribe, translate/ },
    { name: "an unknown format", args: ["-f", "docx", COMMAND], message: /txt, vtt, srt, tsv, json/ },
    { name: "an unknown device", args: ["--device", "gpu", COMMAND], message: /cpu, portable/ },
    { name: "half a thread", args: ["--threads", "0.5", COMMAND], message: /whole number/ },
    { name: "fewer threads than none", args: ["--threads=-1", COMMAND], message: /threads/ },
    { name: "a thousand threads", args: ["--threads", "1000", COMMAND], message: /threads/ },
    { name: "a negative temperature", args: ["--temperature=-1", COMMAND], message: /temperature/ },
    { name: "tokens that are words", args: ["--suppress_tokens", "a,b", COMMAND], message: /suppress/i },
    { name: "standard input twice", args: ["-", "-"], message: /only once/ },
  ];
  const run = (each: typeof cases[number]) => runCommand(["--model", "/no/such/model", ...each.args]);
  await eachCommand(t, cases, run, (result, each) => assertRefused(result, "E_OPTION", each.message));
});

Deno.test("transcribe suggests a name for a model that it does not know", async () => {
  const misspelt = await runCommand(["--model", "larg-v3", COMMAND], reading);
  assertRefused(misspelt, "E_MODEL_NOT_FOUND", /larg-v3.*"large-v3"/);
  const path = await runCommand(["--model", "/no/such/model", COMMAND], {
    permissions: { read: ["/no/such/model", DEMO_MODEL] },
  });
  assertRefused(path, "E_MODEL_NOT_FOUND", /\/no\/such\/model/);
});

Deno.test("transcribe takes dashes for underscores", async () => {
  const args = ["--model", DEMO_MODEL, "--condition-on-previous-text=False", "--initial-prompt", "Trains."];
  const result = await runCommand([...args, "--no-speech-threshold", "0.5", COMMAND], reading);
  assertDone(result);
  assert.match(result.stdout, /train to Paris/);
});

Deno.test("transcribe - reads standard input, and calls its files stdin", async () => {
  await inFolder(async (folder) => {
    const result = await runCommand(["--model", DEMO_MODEL, "-o", folder, "-f", "txt", "-"], {
      permissions: permissionsFor([], [folder]),
      stdin: await Deno.readFile(COMMAND),
    });
    assertDone(result);
    assert.match(result.stdout, SENTENCE);
    assert.deepEqual(filesIn(folder), ["stdin.txt"]);
  });
  const nothing = await runCommand(["--model", DEMO_MODEL, "-"], reading);
  assertRefused(nothing, "E_AUDIO_FORMAT", /standard input.*empty/);
  const text = await runCommand(["--model", DEMO_MODEL, "-"], {
    ...reading,
    stdin: new TextEncoder().encode("hello"),
  });
  assertRefused(text, "E_AUDIO_FORMAT", /standard input.*"hello"/);
});

Deno.test("transcribe --verbose False prints no segments", async () => {
  const result = await runCommand(["--model", DEMO_MODEL, "--verbose", "False", COMMAND], reading);
  assertDone(result);
  assert.equal(result.stdout, "");
});

Deno.test("transcribe goes on behind a file that fails, and ends with the first failure's status", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const broken = join(folder, "broken.wav");
    await Deno.copyFile(COMMAND, broken);
    // A sample rate of 0 is 66, a tokenizer's fault would be 65: the file is at fault, and found out late.
    const bytes = await Deno.readFile(broken);
    new DataView(bytes.buffer).setUint32(24, 0, true);
    await Deno.writeFile(broken, bytes);
    const result = await runCommand(
      ["--model", DEMO_MODEL, "-o", out, "-f", "txt", broken, recording("06_german"), COMMAND],
      { permissions: permissionsFor([folder], [out]) },
    );
    assert.equal(result.code, 66);
    assert.equal(result.stderr.split("\n").filter((line) => line.startsWith("E_")).length, 1);
    assert.match(result.stderr, /E_AUDIO_FORMAT: .*broken\.wav.*sample rate/);
    assert.deepEqual(filesIn(out), ["01_command.txt", "06_german.txt"]);
    assert.match(result.stdout, SENTENCE);
  });
});

Deno.test("transcribe says of every missing file that it is, and transcribes the others", async () => {
  const missing = [join(DEMO_MODEL, "audio/a.wav"), join(DEMO_MODEL, "audio/b.wav")];
  const result = await runCommand(["--model", DEMO_MODEL, missing[0], COMMAND, missing[1]], reading);
  assert.equal(result.code, 66);
  assert.equal(result.stderr.match(/^E_INPUT: .*\/[ab]\.wav .*$/gm)?.length, 2);
  assert.match(result.stdout, SENTENCE);
});

Deno.test("transcribe refuses a language other than English of an English-only model", async () => {
  await inFolder(async (folder) => {
    const model = join(folder, "demo.en");
    await modelWith(model, {
      "generation_config.json": await changedJson("generation_config.json", { is_multilingual: false }),
    });
    const permissions = permissionsFor([model]);
    const german = await runCommand(["--model", model, "--language", "de", COMMAND], { permissions });
    assertRefused(german, "E_OPTION", /English/);
    const translation = await runCommand(["--model", model, "--task", "translate", COMMAND], { permissions });
    assertRefused(translation, "E_OPTION", /English/);
    const english = await runCommand(["--model", model, "--language", "en", COMMAND], { permissions });
    assertDone(english);
  });
});

Deno.test("transcribe ends silently with 141 if nobody reads it and no files are wanted", async () => {
  const child = startCommand(["--model", DEMO_MODEL, COMMAND], reading);
  await child.stdout.cancel(); // what `| head -1` does after its line
  const result = await endOf(child);
  assert.equal(result.stderr.replace(/^W_DEVICE: .*\n/, ""), "");
  assert.equal(result.code, 141);
});

Deno.test("transcribe finishes its files if nobody reads it", async () => {
  await inFolder(async (folder) => {
    const child = startCommand(["--model", DEMO_MODEL, "-o", folder, "-f", "txt", COMMAND], {
      permissions: permissionsFor([], [folder]),
    });
    await child.stdout.cancel();
    const { code, stderr } = await endOf(child);
    assert.equal(code, 0, stderr);
    assert.deepEqual(filesIn(folder), ["01_command.txt"]);
  });
});

Deno.test("transcribe --help ends silently if nobody reads it", async () => {
  const child = startCommand(["--help"]);
  await child.stdout.cancel();
  const { stderr } = await endOf(child);
  assert.equal(stderr, "");
});

Deno.test("transcribe --debug shows where an error arose", async () => {
  const result = await runCommand(["--debug", "--model", DEMO_MODEL, join(DEMO_MODEL, "none.wav")], reading);
  assert.equal(result.code, 66);
  assert.match(result.stderr, /^E_INPUT: .*\nSottoError: [^]*\n {4}at /);
});

/** The end of a child whose standard output was given up. */
async function endOf(child: Deno.ChildProcess): Promise<{ code: number; stderr: string }> {
  const [stderr, { code }] = await Promise.all([
    new Response(child.stderr).text(),
    child.status,
    child.stdin.close(),
  ]);
  return { code, stderr };
}
