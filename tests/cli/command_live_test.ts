import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertDone,
  assertRefused,
  DEMO_MODEL,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  runCommand,
  startCommand,
} from "../support/command.ts";
import { pcm16 } from "../../cli/live.ts";

/** The samples of a bundled recording as bytes. */
const bytesOf = async (name: string) => (await Deno.readFile(recording(name))).subarray(44);

Deno.test("transcribe --stdin_pcm prints phrases as they are finished, and writes files", () =>
  inFolder(async (folder) => {
    const result = await runCommand(
      ["--model", DEMO_MODEL, "--stdin_pcm", "--language", "en", "-o", folder, "-f", "txt,srt"],
      { permissions: permissionsFor([], [folder]), stdin: await bytesOf("01_command") },
    );
    assertDone(result);
    assert.match(
      result.stdout,
      /^\[00:00\.\d{3} --> 00:04\.\d{3}\] {2}The train to Paris leaves at three twenty-four from platform twenty-four\.\n$/,
    );
    assert.deepEqual(filesIn(folder), ["stdin.srt", "stdin.txt"]);
    assert.match(await Deno.readTextFile(join(folder, "stdin.txt")), /^The train to Paris/);
  }));

Deno.test("transcribe --stdin_pcm writes what the file's transcript would be, word times included", () =>
  inFolder(async (folder) => {
    const options = [
      "--language",
      "en",
      "--word_timestamps",
      "true",
      "--beam_size",
      "2",
      "-o",
      folder,
      "-f",
      "json",
    ];
    const permissions = permissionsFor([recording("01_command")], [folder]);
    const stdin = await bytesOf("01_command");
    assertDone(await runCommand(["--model", DEMO_MODEL, "--stdin_pcm", ...options], { permissions, stdin }));
    assertDone(
      await runCommand(["--model", DEMO_MODEL, recording("01_command"), ...options], { permissions }),
    );
    const [live, file] = await Promise.all(
      ["stdin", "01_command"].map(async (name) =>
        JSON.parse(await Deno.readTextFile(join(folder, `${name}.json`)))
      ),
    );
    assert.deepEqual(live, file);
    assert.equal(live.segments[0].words[0].word, " The");
  }));

Deno.test({
  name: "transcribe --stdin_pcm finishes what was said at the first SIGINT, and ends with 130",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const child = startCommand(
        ["--model", DEMO_MODEL, "--stdin_pcm", "--language", "en", "-o", folder, "-f", "txt"],
        { permissions: permissionsFor([], [folder]) },
      );
      const writer = child.stdin.getWriter();
      await writer.write(await bytesOf("01_command"));
      await writer.write(new Uint8Array(48_000)); // a pause ends the phrase
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      assert.match(new TextDecoder().decode(value), /The train to Paris/);
      child.kill("SIGINT");
      const [{ code }] = await Promise.all([child.status, child.stderr.cancel(), reader.cancel()]);
      await writer.abort().catch(() => {});
      assert.equal(code, 130);
      assert.match(await Deno.readTextFile(join(folder, "stdin.txt")), /^The train to Paris/);
    }),
});

Deno.test("transcribe --stdin_pcm refuses files and options of recordings", async () => {
  const permissions = permissionsFor([]);
  const run = (...args: string[]) =>
    runCommand(["--model", DEMO_MODEL, "--stdin_pcm", ...args], { permissions });
  assertRefused(await run("talk.wav"), "E_OPTION", /reads standard input alone: got talk\.wav/);
  assertRefused(await run("--vad_filter"), "E_OPTION", /--vad_filter needs a recording, not --stdin_pcm/);
  assertRefused(await run("--clip_timestamps", "1"), "E_OPTION", /--clip_timestamps needs a recording/);
});

Deno.test("pcm16() reads samples wherever the chunks are cut", async () => {
  const bytes = Uint8Array.of(0, 0, 0, 128, 255, 127, 1);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const chunks = (async function* () {
      yield await Promise.resolve(bytes.slice(0, cut));
      yield bytes.slice(cut);
    })();
    const samples: number[] = [];
    for await (const part of pcm16(chunks)) samples.push(...part);
    assert.deepEqual(samples, [0, -1, 32767 / 32768], `cut at ${cut}`);
  }
});
