import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertDone,
  assertRefused,
  bareEnvironment,
  commandArguments,
  DEMO_MODEL,
  eachCommand,
  filesIn,
  inFolder,
  permissionsFor,
  recording,
  runCommand,
} from "../support/command.ts";
import { smallFileSystem } from "../support/small_file_system.ts";

const COMMAND = recording("01_command");

/** Bytes in the name of a file at most, on all usual file systems. */
const MAX_NAME = 255;

Deno.test("transcribe writes the formats that are asked for, and replaces older files", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "01_command.txt"), "old");
    const options = { permissions: permissionsFor([], [folder]) };
    assertDone(await runCommand(["--model", DEMO_MODEL, "-o", folder, "-f", "txt,srt", COMMAND], options));
    assert.deepEqual(filesIn(folder), ["01_command.srt", "01_command.txt"]);
    assert.match(await Deno.readTextFile(join(folder, "01_command.txt")), /^The train to Paris .*\n$/);
    assert.match(
      await Deno.readTextFile(join(folder, "01_command.srt")),
      /^1\n00:00:00,000 --> 00:00:04,300\nThe train .*\n\n$/,
    );
  });
});

Deno.test("transcribe makes the output folder, and writes into the current one by default", async () => {
  await inFolder(async (folder) => {
    const made = join(folder, "a", "b");
    const options = { permissions: permissionsFor([], [folder]), cwd: folder };
    assertDone(await runCommand(["--model", DEMO_MODEL, "-o", "a/b", "-f", "txt", COMMAND], options));
    assert.deepEqual(filesIn(made), ["01_command.txt"]);
    assertDone(await runCommand(["--model", DEMO_MODEL, "-f", "vtt", COMMAND], options));
    assert.deepEqual(filesIn(folder), ["01_command.vtt", "a/b/01_command.txt"]);
  });
});

Deno.test("transcribe finds out before the work that outputs cannot be written", async (t) => {
  await inFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    await Deno.mkdir(join(folder, "taken", "01_command.txt"), { recursive: true });
    await Deno.mkdir(join(folder, "other"));
    for (const name of ["01_command.wav", "other/01_command.wav", "notes.txt"]) {
      await Deno.copyFile(COMMAND, join(folder, name));
    }
    await Deno.symlink(folder, join(folder, "link"));
    const long = `${"n".repeat(MAX_NAME - ".wav".length)}.wav`;
    const before = filesIn(folder);
    const at = (...names: string[]) => names.map((name) => join(folder, name));
    const cases: { name: string; out: string; inputs: string[]; formats?: string; message: RegExp }[] = [
      { name: "the folder is a file", out: file, inputs: [COMMAND], message: /file/ },
      { name: "the folder is below a file", out: join(file, "sub"), inputs: [COMMAND], message: /file\/sub/ },
      {
        name: "an output is a folder",
        out: join(folder, "taken"),
        inputs: [COMMAND],
        message: /taken\/01_command\.txt because it is a folder/,
      },
      {
        name: "an output is the input",
        out: folder,
        inputs: at("notes.txt"),
        message: /because it is an input/,
      },
      {
        name: "an output is the input by another path",
        out: join(folder, "link"),
        inputs: at("notes.txt"),
        message: /because it is an input/,
      },
      {
        name: "an output is another input",
        out: folder,
        inputs: [recording("01_command").replace("01_command", "../audio/01_command"), ...at("notes.txt")],
        message: /because it is an input/,
      },
      {
        name: "two inputs of one name",
        out: folder,
        inputs: at("01_command.wav", "other/01_command.wav"),
        message: /because two inputs would write it/,
      },
      {
        name: "an input twice",
        out: folder,
        inputs: at("01_command.wav", "01_command.wav"),
        message: /because two inputs would write it/,
      },
      {
        name: "an output's name is too long",
        out: folder,
        inputs: [long],
        formats: "json",
        message: /too long/i,
      },
    ];
    const run = (each: typeof cases[number]) =>
      // No such model: had the work begun, that would be the error.
      runCommand([
        "--model",
        join(folder, "none"),
        "-o",
        each.out,
        "-f",
        each.formats ?? "txt",
        ...each.inputs,
      ], {
        permissions: permissionsFor([folder, long], [folder]),
      });
    await eachCommand(t, cases, run, (result, each) => {
      assertRefused(result, "E_OUTPUT", each.message);
      assert.match(result.stderr, /--output_dir/);
    });
    assert.deepEqual(filesIn(folder), before);
  });
});

Deno.test("transcribe on a full disk says so, leaves the old file and no part of the new one", async (t) => {
  await using disk = await smallFileSystem();
  await t.step({
    name: disk.folder === null ? `skipped: ${disk.reason}` : "on a file system of 16 KiB",
    ignore: disk.folder === null,
    fn: async () => {
      const folder = disk.folder!;
      const old = join(folder, "01_command.json");
      await Deno.writeTextFile(old, "old");
      // An empty file, which proves that the folder can be written to, takes no page.
      await Deno.writeFile(join(folder, "ballast"), new Uint8Array(await disk.freeBytes()));
      const result = await runCommand(["--model", DEMO_MODEL, "-o", folder, "-f", "json", COMMAND], {
        permissions: permissionsFor([], [folder]),
      });
      assert.equal(result.code, 74, result.stderr);
      assert.match(result.stderr, /^(W_DEVICE: .*\n)?E_DISK_FULL: .*01_command\.json.*\n$/);
      assert.deepEqual(filesIn(folder), ["01_command.json", "ballast"]);
      assert.equal(await Deno.readTextFile(old), "old");
    },
  });
});

Deno.test("transcribe writes outputs with names as long as there may be", async () => {
  await inFolder(async (folder) => {
    const name = "n".repeat(MAX_NAME - ".wav".length);
    const audio = join(folder, `${name}.wav`);
    await Deno.copyFile(COMMAND, audio);
    const options = { permissions: permissionsFor([], [folder]) };
    assertDone(await runCommand(["--model", DEMO_MODEL, "-o", folder, "-f", "txt,srt", audio], options));
    assert.deepEqual(filesIn(folder), ["srt", "txt", "wav"].map((ending) => `${name}.${ending}`));
  });
});

Deno.test({
  name: "transcribe says so if standard output is a full disk",
  ignore: Deno.build.os !== "linux", // where there is such a device
  fn: async () => {
    const args = commandArguments(["--model", DEMO_MODEL, COMMAND], { permissions: permissionsFor([]) });
    // The shell opens the file, as it would for a user; the child's permissions have no part in it.
    const shell = new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@" > /dev/full', Deno.execPath(), ...args],
      clearEnv: true,
      env: bareEnvironment(),
      stdin: "null",
      stderr: "piped",
    });
    const { code, stderr } = await shell.output();
    assert.equal(code, 74);
    assert.match(
      new TextDecoder().decode(stderr),
      /^(W_DEVICE: .*\n)?E_DISK_FULL: Cannot write to standard output because the disk is full\.\n$/,
    );
  },
});
