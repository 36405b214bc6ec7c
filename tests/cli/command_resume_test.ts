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
import { HAS_LIBRARY } from "../support/cpu_library.ts";
import { wavFile } from "../audio/_wav_writer.ts";

/** No second tries, and texts that do not run on: more windows in less time. */
const PLAIN = ["--temperature_increment_on_fallback", "None", "--condition_on_previous_text", "False"];
const JOURNAL = ".long.sotto-journal";
/** Kills of a run; an hour's, at random moments, is `bench/resume_hour.ts`. */
const KILLS = 2;

/** Speech of four minutes, or of 79 s where it would take too long. */
async function longRecording(folder: string): Promise<string> {
  const path = join(folder, "long.wav");
  const samples = (await Deno.readFile(recording("09_long"))).subarray(44);
  const times = HAS_LIBRARY ? 3 : 1;
  const whole = new Uint8Array(times * samples.length);
  for (let i = 0; i < times; i++) whole.set(samples, i * samples.length);
  await Deno.writeFile(path, wavFile(whole));
  return path;
}

const lines = async (path: string): Promise<number> =>
  (await Deno.readTextFile(path).catch(() => "")).split("\n").length - 1;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills a run some ms after its journal holds `least` lines; its exit status if it ended before. */
async function killed(
  args: readonly string[],
  options:
    & { readonly journal: string; readonly least: number; readonly after: number }
    & Parameters<
      typeof startCommand
    >[1],
): Promise<boolean> {
  const child = startCommand(args, options);
  const drained = Promise.all(
    [child.stdout, child.stderr].map((stream) => stream.pipeTo(new WritableStream())),
  );
  let isOver = false;
  const status = child.status.then((status) => {
    isOver = true;
    return status;
  });
  while (!isOver && await lines(options.journal) < options.least) await pause(3);
  await pause(options.after);
  if (!isOver) child.kill("SIGKILL");
  const { signal } = await status;
  await child.stdin.close().catch(() => {});
  await drained;
  return signal === "SIGKILL";
}

for (
  const [name, extra] of [["", []], [", with words and voice activity", [
    "--word_timestamps",
    "--vad_filter",
  ]]] as const
) {
  Deno.test({
    name: `transcribe --resume goes on behind the last window after kill -9, nothing lost or doubled${name}`,
    ignore: Deno.build.os === "windows",
    fn: () =>
      inFolder(async (folder) => {
        const input = await longRecording(folder);
        const [whole, resumed] = [join(folder, "whole"), join(folder, "resumed")];
        const common = [
          "--model",
          DEMO_MODEL,
          "-f",
          "json",
          "--beam_size",
          "None",
          ...PLAIN,
          ...extra,
          input,
        ];
        assertDone(
          await runCommand([...common, "-o", whole], { permissions: permissionsFor([input], [whole]) }),
        );

        const journal = join(resumed, JOURNAL);
        const args = [...common, "--resume", "-o", resumed];
        const permissions = permissionsFor([input], [resumed]);
        let kills = 0;
        for (let i = 0; i < KILLS; i++) {
          const least = await lines(journal) + 1 + i % 3;
          if (!await killed(args, { permissions, journal, least, after: i * 17 % 40 })) break;
          kills++;
        }
        assert.equal(kills, KILLS, "it was killed on the way");
        const left = await lines(journal);
        assert(left > 1, "a journal is left");
        const last = await runCommand(args, { permissions });
        assertDone(last);
        assert.match(last.stderr, /^going on with .*long\.wav at \d+:\d\d$/m);
        assert.deepEqual(filesIn(resumed), ["long.json"]);
        const read = (at: string) => Deno.readTextFileSync(join(at, "long.json"));
        assert(read(resumed) === read(whole), "the transcript is that of an uninterrupted run");
      }),
  });
}

Deno.test({
  name: "transcribe --resume skips the files that a killed run finished, and leaves no journal when all are",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const [first, second] = [recording("01_command"), await longRecording(folder)];
      const out = join(folder, "out");
      const args = [
        "--model",
        DEMO_MODEL,
        "-f",
        "txt,srt",
        "--beam_size",
        "None",
        ...PLAIN,
        "--resume",
        "-o",
        out,
      ];
      const permissions = permissionsFor([first, second], [out]);
      const journal = join(out, JOURNAL);
      assert(await killed([...args, first, second], { permissions, journal, least: 2, after: 0 }));
      assert.deepEqual(filesIn(out), [
        ".01_command.sotto-journal",
        JOURNAL,
        "01_command.srt",
        "01_command.txt",
      ]);
      const written = await Deno.stat(join(out, "01_command.txt"));

      const last = await runCommand([...args, first, second], { permissions });
      assertDone(last);
      assert.match(last.stderr, /^.*01_command\.wav was finished by an earlier run$/m);
      assert.match(last.stderr, /^going on with .*long\.wav at /m);
      assert.doesNotMatch(last.stdout, /train to Paris leaves at three/, "it is not told twice");
      assert.deepEqual(filesIn(out), ["01_command.srt", "01_command.txt", "long.srt", "long.txt"]);
      assert.deepEqual((await Deno.stat(join(out, "01_command.txt"))).mtime, written.mtime);
    }),
});

Deno.test("transcribe --resume writes other formats, and files that changed, from what was finished", () =>
  inFolder(async (folder) => {
    const [input, missing] = [recording("01_command"), join(folder, "missing.wav")];
    const run = async (formats: string) => {
      const permissions = permissionsFor([input, missing], [folder]);
      const args = ["--model", DEMO_MODEL, "--resume", "-f", formats, "-o", folder, input, missing];
      const result = await runCommand(args, { permissions });
      assert.equal(result.code, 66, result.stderr); // of the file that is missing
      return result.stderr;
    };
    const text = () => Deno.readTextFile(join(folder, "01_command.txt"));
    assert.doesNotMatch(await run("txt"), /was finished|going on/);
    const whole = await text();
    assert.match(await run("txt"), /01_command\.wav was finished by an earlier run/);
    assert.match(await run("txt,srt"), /going on with .*01_command\.wav at 0:0\d/);
    await Deno.writeTextFile(join(folder, "01_command.txt"), "cut");
    assert.match(await run("txt,srt"), /going on with/);
    assert.equal(await text(), whole);
    assert.deepEqual(filesIn(folder), [".01_command.sotto-journal", "01_command.srt", "01_command.txt"]);
  }));

Deno.test("transcribe --resume begins anew, and says so, where the options are others", () =>
  inFolder(async (folder) => {
    const input = recording("01_command");
    const journal = join(folder, ".01_command.sotto-journal");
    await Deno.writeTextFile(journal, '{"version":1}\n{"nextSeek":100}\n');
    const result = await runCommand(["--model", DEMO_MODEL, "--resume", "-o", folder, "-f", "txt", input], {
      permissions: permissionsFor([], [folder]),
    });
    assertDone(result);
    assert.match(result.stderr, /^W_RESUME: .*01_command\.wav is transcribed from its start/m);
    assert.deepEqual(filesIn(folder), ["01_command.txt"]);
  }));

Deno.test("transcribe --resume refuses streams, and runs without output files", async () => {
  const permissions = permissionsFor([]);
  const without = await runCommand(["--model", DEMO_MODEL, "--resume", recording("01_command")], {
    permissions,
  });
  assertRefused(without, "E_OPTION", /--resume needs output files/);
  const stream = await runCommand(["--model", DEMO_MODEL, "--resume", "-f", "txt", "-"], { permissions });
  assertRefused(stream, "E_OPTION", /--resume needs files: got -/);
});

Deno.test("transcribe takes parameters of voice activity only with it, and names what is wrong", async () => {
  const permissions = permissionsFor([]);
  const run = (...args: string[]) =>
    runCommand(["--model", DEMO_MODEL, ...args, recording("01_command")], { permissions });
  assertRefused(await run("--vad_threshold", "0.5"), "E_OPTION", /--vad_threshold needs voice activity/);
  const wrong = await run("--vad_filter", "--vad_threshold", "2");
  assertRefused(wrong, "E_OPTION", /--vad_threshold must be a probability of 0…1; got 2/);
  assertRefused(await run("--clip_timestamps", "5,3"), "E_OPTION", /--clip_timestamps must be seconds/);
});
