// Every numbered example, run as its first lines say.

import assert from "node:assert/strict";
import { join } from "node:path";
import { loadAudio } from "../mod.ts";
import {
  assertDone,
  type CommandResult,
  DEMO_MODEL,
  denoCommand,
  filesIn,
  inFolder,
  recording,
  resultOf,
  twoAtATime,
} from "./support/command.ts";
import { PROJECT_ROOT } from "./support/shared_data.ts";

const EXAMPLES = new URL("examples/", PROJECT_ROOT).pathname;
const COMMAND = recording("01_command");
const GERMAN = recording("06_german");
const MODEL = ["--model", DEMO_MODEL];

const NUMBERED = Array.from(Deno.readDirSync(EXAMPLES), ({ name }) => name).filter((name) => /^\d/.test(name))
  .sort();
const RUN = new Set<string>();

function runExample(name: string, ...args: string[]): Promise<CommandResult> {
  assert.ok(NUMBERED.includes(name), `there is ${name}`);
  RUN.add(name);
  return resultOf(denoCommand(["run", "-A", "--no-check", join(EXAMPLES, name), ...args]).spawn());
}

Deno.test("Examples are numbered without gaps, short, and say how they are run", () => {
  assert.ok(NUMBERED.length >= 8);
  for (const [i, name] of NUMBERED.entries()) {
    assert.match(name, new RegExp(`^${String(i + 1).padStart(2, "0")}_[a-z_]+\\.ts$`));
    const text = Deno.readTextFileSync(join(EXAMPLES, name));
    assert.ok(text.trimEnd().split("\n").length <= 40, `${name} has at most 40 lines`);
    assert.match(text, new RegExp(`^// [A-Z].*\\n//\\n//.*deno run -A examples/${name}`), name);
  }
});

Deno.test("01_language names the language of each file", async () => {
  const result = await runExample("01_language.ts", ...MODEL, COMMAND, GERMAN);
  assertDone(result);
  assert.match(result.stdout, /01_command\.wav: English \d+\.\d %, .*\n.*06_german\.wav: German \d+\.\d %/);
});

Deno.test("02_features writes [1500, state] floats", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out.f32");
    assertDone(await runExample("02_features.ts", ...MODEL, COMMAND, out));
    const features = new Float32Array((await Deno.readFile(out)).buffer);
    assert.equal(features.length, 1500 * 128);
    assert.ok(features.every(Number.isFinite));
  });
});

Deno.test("03_similar ranks a recording itself first", async () => {
  const result = await runExample("03_similar.ts", ...MODEL, GERMAN, join(DEMO_MODEL, "audio"));
  assertDone(result);
  const lines = result.stdout.trim().split("\n").map((line) => line.split(" "));
  assert.equal(lines.length, 5);
  assert.deepEqual(lines[0], ["1.0000", "06_german.wav"]);
  const cosines = lines.map(([cosine]) => Number(cosine));
  assert.deepEqual(cosines, cosines.toSorted((a, b) => b - a));
  assert.ok(cosines[1] < 1);
});

Deno.test("04_subtitles writes what is missing, goes on after a bad file, and skips what is done", async () => {
  await inFolder(async (folder) => {
    for (const path of [COMMAND, GERMAN]) await Deno.copyFile(path, join(folder, path.split("/").at(-1)!));
    await Deno.writeTextFile(join(folder, "02_broken.wav"), "not audio");
    const first = await runExample("04_subtitles.ts", ...MODEL, folder);
    assert.equal(first.code, 66, first.stderr);
    assert.match(first.stdout, /^02_broken\.wav: Cannot read/m);
    const files = ["01_command.srt", "01_command.wav", "02_broken.wav", "06_german.srt", "06_german.wav"];
    assert.deepEqual(filesIn(folder), files);
    assert.match(await Deno.readTextFile(join(folder, "01_command.srt")), /-->[^]*train to Paris/);
    const before = await Deno.stat(join(folder, "01_command.srt"));
    const again = await runExample("04_subtitles.ts", ...MODEL, folder);
    assert.match(again.stdout, /01_command\.wav: done before\n06_german\.wav: done before/);
    assert.deepEqual((await Deno.stat(join(folder, "01_command.srt"))).mtime, before.mtime);
  });
});

Deno.test("05_worker answers many callers, those that fail too", async () => {
  const result = await runExample("05_worker.ts", ...MODEL, COMMAND, "none.wav", GERMAN);
  assert.equal(result.code, 1, result.stderr);
  const lines = result.stdout.trim().split("\n");
  for (
    const line of [
      /01_command\.wav → The train to Paris/,
      /^none\.wav → Cannot open none\.wav/,
      /→ Setze Brot/,
    ]
  ) {
    assert.equal(lines.filter((text) => line.test(text)).length, 1, `${line}`);
  }
});

Deno.test("06_cancel shows progress, and stops when the time is over", async () => {
  const done = await runExample("06_cancel.ts", ...MODEL, "--seconds", "60", COMMAND);
  assertDone(done);
  assert.match(done.stdout, /^100 % The train to Paris.*\ndone in time\n$/);
  const stopped = await runExample("06_cancel.ts", ...MODEL, "--seconds", "0", COMMAND);
  assertDone(stopped);
  assert.equal(stopped.stdout, "stopped after 0 s\n");
});

Deno.test("07_cut_words writes the places where a word is said", async () => {
  await inFolder(async (folder) => {
    const commands = recording("08_commands");
    const result = await runExample("07_cut_words.ts", ...MODEL, commands, "Bottles", folder);
    assertDone(result);
    assert.deepEqual(filesIn(folder), ["bottles_1.wav", "bottles_2.wav"]);
    const [, from, to] = result.stdout.match(/bottles_1\.wav: ([\d.]+) to ([\d.]+) s/)!.map(Number);
    const cut = await loadAudio(join(folder, "bottles_1.wav"));
    assert.ok(Math.abs(cut.length / 16_000 - (to - from + 0.1)) < 0.02, "the word and its margins");
    const whole = await loadAudio(commands);
    const at = Math.floor((from - 0.05) * 16_000);
    const distance = cut.reduce((sum, sample, i) => Math.max(sum, Math.abs(sample - whole[at + i])), 0);
    assert.ok(distance < 1e-4, "the samples of that place");
    const none = await runExample("07_cut_words.ts", ...MODEL, COMMAND, "zebra", folder);
    assert.equal(none.stdout, '"zebra" is not said\n');
  });
});

Deno.test("08_live_captions rewrites what may change, and keeps what is certain", async () => {
  const name = "08_live_captions.ts";
  RUN.add(name);
  const child = denoCommand(["run", "-A", "--no-check", join(EXAMPLES, name), ...MODEL]).spawn();
  const samples = pcmOf(await Deno.readFile(COMMAND));
  const writer = child.stdin.getWriter();
  const cut = 2 * 16_000 * 2 + 1; // 2 s of a sentence, and half a sample
  await writer.write(samples.slice(0, cut));
  // Nothing more is said until the child has shown what it made of this.
  let shown = "";
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (): Promise<boolean> => {
    const { value, done } = await output.read();
    shown += value ?? "";
    return !done;
  };
  while (!/\w/.test(shown) && await read());
  assert.ok(shown.startsWith("\r\x1b[K") && !shown.includes("\n"), `a caption in progress: ${shown}`);
  await writer.write(samples.slice(cut));
  await writer.close();
  while (await read());
  assert.equal((await child.status).code, 0, await new Response(child.stderr).text());
  const lines = shown.trimEnd().split("\n").map((line) => line.split("\r\x1b[K").at(-1));
  assert.equal(lines.join(" "), "The train to Paris leaves at three twenty-four from platform twenty-four.");
});

/** The samples of a WAV file whose header is the 44 bytes of the plainest kind. */
function pcmOf(wav: Uint8Array): Uint8Array {
  assert.equal(new TextDecoder().decode(wav.subarray(36, 40)), "data");
  return wav.subarray(44);
}

/** What is wrong with the arguments of an example, and what it must say of that. */
const WRONG: readonly { args: readonly string[]; code: number; says: RegExp }[] = [
  { args: ["01_language.ts"], code: 64, says: /^E_OPTION: too few arguments: got 0\. What may be typed: \[/ },
  {
    args: ["02_features.ts", "--modle", "x"],
    code: 64,
    says: /^E_OPTION: .*'--modle'\. Did you mean --model\?/,
  },
  { args: ["02_features.ts", ...MODEL, "none.wav", "x"], code: 66, says: /^E_INPUT: Cannot open none\.wav/ },
  { args: ["03_similar.ts", ...MODEL, COMMAND, "/none"], code: 1, says: /^error: No such file .*'\/none'/ },
  { args: ["04_subtitles.ts", "a", "b"], code: 64, says: /^E_OPTION: too many arguments: got 2\./ },
  {
    args: ["05_worker.ts", "--model"],
    code: 64,
    says: /^E_OPTION: Option '--model <value>' argument missing\./,
  },
  {
    args: ["06_cancel.ts", "--seconds", "x", "f"],
    code: 64,
    says: /^E_OPTION: --seconds must be .* got "x"\./,
  },
  { args: ["06_cancel.ts", ...MODEL, "none.wav"], code: 66, says: /^E_INPUT: Cannot open none\.wav/ },
  {
    args: ["07_cut_words.ts", ...MODEL, "none.wav", "a", "/tmp"],
    code: 66,
    says: /^E_INPUT: Cannot open none/,
  },
  { args: ["08_live_captions.ts", "talk.wav"], code: 64, says: /^E_OPTION: too many arguments: got 1\./ },
];

Deno.test("Examples say what is wrong in one line, without a stack", async (t) => {
  const run = ([name, ...args]: readonly string[]) => runExample(name, ...args);
  const results = await twoAtATime(WRONG.map(({ args }) => () => run(args)));
  for (const [i, { args, code, says }] of WRONG.entries()) {
    await t.step(args.join(" "), () => {
      const { stderr } = results[i];
      assert.match(stderr, says);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      assert.equal(results[i].code, code);
    });
  }
});

Deno.test("Every numbered example is run by a test", () => {
  assert.deepEqual([...RUN].sort(), NUMBERED);
});
