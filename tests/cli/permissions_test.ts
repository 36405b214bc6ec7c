// The permissions that `deno task permissions` prints for a job: they are enough, and one fewer is not.

import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { shellWord } from "../../cli/permission_flags.ts";
import { DEMO_MODEL, denoCommand, inFolder, resultOf } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import {
  checkJob,
  COMMAND,
  cpu,
  lineFor,
  MODEL,
  onCpu,
  PERMISSIONS_SCRIPT,
  SENTENCE,
} from "./_permission_jobs.ts";

const hasFfmpeg = await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null", stderr: "null" })
  .output()
  .then(({ success }) => success, () => false);
if (!hasFfmpeg) console.log("skipped: permissions of what ffmpeg reads (no ffmpeg)");

Deno.test("A file needs the model, the file and the library, and each of them", async () => {
  await inFolder(async (folder) => {
    const talk = join(folder, "talk.wav");
    await Deno.copyFile(COMMAND, talk);
    await checkJob({ args: [...MODEL, ...onCpu, talk], needs: { read: [DEMO_MODEL, talk], ...cpu } });
  });
});

Deno.test("The portable device needs no library; a file beside the model is read with it", async () => {
  await checkJob({ args: [...MODEL, "--device", "portable", COMMAND], needs: { read: [DEMO_MODEL] } });
});

Deno.test("Standard input needs the model alone", async () => {
  const stdin = await Deno.readFile(COMMAND);
  await checkJob({ args: [...MODEL, ...onCpu, "-"], needs: { read: [DEMO_MODEL], ...cpu }, stdin });
});

Deno.test("Outputs need their folder for reading and writing", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const args = [...MODEL, ...onCpu, "-o", out, "-f", "srt", COMMAND];
    await checkJob({ args, needs: { read: [DEMO_MODEL, out], write: [out], ...cpu } });
    assert.match(await Deno.readTextFile(join(out, "01_command.srt")), SENTENCE);
  });
});

Deno.test("A journal needs no more than the outputs beside it", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const args = [
      ...MODEL,
      ...onCpu,
      "--resume",
      "True",
      "--word_timestamps",
      "True",
      "-o",
      out,
      "-f",
      "vtt",
      COMMAND,
    ];
    await checkJob({ args, needs: { read: [DEMO_MODEL, out], write: [out], ...cpu } });
  });
});

Deno.test("Microphone samples on standard input need the model alone", async () => {
  const stdin = (await Deno.readFile(COMMAND)).slice(44);
  await checkJob({
    args: [...MODEL, ...onCpu, "--stdin_pcm", "True"],
    needs: { read: [DEMO_MODEL], ...cpu },
    stdin,
  });
});

Deno.test("A URL needs its host", async () => {
  const bytes = await Deno.readFile(COMMAND);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bytes),
  );
  const host = `127.0.0.1:${server.addr.port}`;
  const args = [...MODEL, ...onCpu, `http://${host}/talk.wav`];
  await checkJob({ args, needs: { read: [DEMO_MODEL], ...cpu, net: [host] } });
});

Deno.test("A model by name is given by its path, which spares variables", async () => {
  await inFolder(async (folder) => {
    const model = join(folder, "tiny");
    await Deno.mkdir(model);
    for (const { name, isFile } of Deno.readDirSync(DEMO_MODEL)) {
      if (isFile) await Deno.copyFile(join(DEMO_MODEL, name), join(model, name));
    }
    const args = ["--model", "tiny", "--model_dir", folder, ...onCpu, COMMAND];
    await checkJob({ args, needs: { read: [model, COMMAND], ...cpu } });
  });
});

Deno.test({
  name: "SOTTO_LIBRARY needs that variable alone",
  ignore: !HAS_LIBRARY,
  fn: async () => {
    await inFolder(async (folder) => {
      const library = join(folder, basename(LIBRARY_PATH));
      await Deno.copyFile(LIBRARY_PATH, library);
      const needs = { read: [DEMO_MODEL], ffi: [library], env: ["SOTTO_LIBRARY"] };
      const env = { SOTTO_LIBRARY: library };
      // Without the variable another library is looked for, whose permission is then missing.
      const hint = /--allow-(read|ffi)=/;
      await checkJob({ args: [...MODEL, "--device", "cpu", COMMAND], needs, env, hint });
    });
  },
});

Deno.test({
  name: "A format that ffmpeg reads needs --allow-run=ffmpeg, and nothing else does",
  ignore: !hasFfmpeg,
  fn: async () => {
    await inFolder(async (folder) => {
      const talk = join(folder, "talk.m4a");
      const convert = new Deno.Command("ffmpeg", {
        args: ["-loglevel", "error", "-i", COMMAND, talk],
        stdin: "null",
      });
      assert.ok((await convert.output()).success);
      const needs = { read: [DEMO_MODEL, talk], ...cpu, run: ["ffmpeg"] };
      await checkJob({ args: [...MODEL, ...onCpu, talk], needs });
    });
  },
});

Deno.test("A model that is not here needs its source and a place to keep it; nothing is missed silently", async () => {
  await inFolder(async (folder) => {
    const args = ["--model", "tiny", "--device", "portable", COMMAND];
    const { flags, notes } = await lineFor(args, { SOTTO_CACHE: folder, HOME: folder });
    assert.deepEqual(flags.get("write"), [folder]);
    assert.deepEqual(flags.get("read"), [folder, COMMAND]);
    assert.deepEqual(flags.get("env"), ["HOME", "SOTTO_CACHE"]);
    assert.equal(flags.get("net")!.length, 1);
    assert.match(notes, /tiny is not on this machine: the first run downloads it/);
    const wrong = await resultOf(
      denoCommand(["run", "-A", PERMISSIONS_SCRIPT, "--", ...MODEL, "no such.wav"]).spawn(),
    );
    assert.equal(wrong.code, 66);
    assert.match(wrong.stderr, /^E_INPUT: Cannot open no such\.wav/);
  });
});

Deno.test("shellWord() quotes what a shell would take apart", () => {
  assert.equal(shellWord("--allow-read=a/b.wav,c"), "--allow-read=a/b.wav,c");
  assert.equal(shellWord("it's a talk.wav"), `'it'\\''s a talk.wav'`);
});
