import assert from "node:assert/strict";
import { join } from "node:path";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import {
  assertDone,
  assertRefused,
  type CommandResult,
  DEMO_MODEL,
  filesIn,
  inFolder,
  recording,
  runCommand,
} from "../support/command.ts";

const COMMAND = recording("01_command");
const SENTENCE = /The train to Paris leaves at three twenty-four/;
const bareModel = ["--model", DEMO_MODEL];

/** The flags that an error's hint says to add. */
function flagsToAdd({ stderr }: CommandResult): string[] {
  const line = stderr.split("\n").find((line) => line.startsWith("E_PERMISSION: "));
  assert.ok(line, stderr);
  const flags = line.match(/--allow-\w+=\S+/g);
  assert.ok(flags, `the flag is named: ${line}`);
  return flags;
}

/** Runs the command from no permission on, adding what each error says, until it works. */
async function followHints(args: readonly string[], cwd?: string): Promise<string[]> {
  const flags: string[] = [];
  for (let tries = 0; tries < 8; tries++) {
    const result = await runCommand(args, { flags, cwd });
    if (result.code === 0) {
      assert.match(result.stdout, SENTENCE);
      return flags;
    }
    assertRefused(result, "E_PERMISSION", /Run (again )?with --allow-/);
    assert.equal(result.stdout, "");
    const added = flagsToAdd(result);
    for (const flag of added) assert.ok(!flags.includes(flag), `${flag} was given already: ${result.stderr}`);
    flags.push(...added);
  }
  assert.fail(`not enough: ${flags.join(" ")}`);
}

testWithLibrary("transcribe names each missing flag exactly: adding them one by one is enough", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    await Deno.mkdir(out);
    const audio = join(folder, "talk.wav");
    await Deno.copyFile(COMMAND, audio);
    const flags = await followHints([...bareModel, "--device", "cpu", "-o", out, "-f", "txt", audio]);
    assert.deepEqual(
      flags.toSorted(),
      [
        `--allow-ffi=${LIBRARY_PATH}`,
        `--allow-read=${DEMO_MODEL}`,
        `--allow-read=${audio}`,
        `--allow-read=${out}`,
        `--allow-write=${out}`,
      ].toSorted(),
    );
    assert.deepEqual(filesIn(folder), ["out/talk.txt", "talk.wav"]);
  });
});

Deno.test("transcribe names flags that work for relative paths and for the current folder", async () => {
  await inFolder(async (folder) => {
    await Deno.copyFile(COMMAND, join(folder, "talk.wav"));
    const args = [...bareModel, "--device", "portable", "-f", "srt", "talk.wav"];
    await followHints(args, folder);
    assert.deepEqual(filesIn(folder), ["talk.srt", "talk.wav"]);
  });
});

testWithLibrary("transcribe works under the permissions it documents, and asks for no others", async () => {
  const result = await runCommand([...bareModel, COMMAND], {
    permissions: { read: [DEMO_MODEL, COMMAND], ffi: [LIBRARY_PATH] },
  });
  assertDone(result);
  assert.match(result.stdout, SENTENCE);
  assert.match(result.stderr, /^cpu: .*\n$/);
});

testWithLibrary(
  "transcribe without --allow-ffi says how to be faster, and runs on the portable device",
  async () => {
    const result = await runCommand([...bareModel, COMMAND], { permissions: { read: [DEMO_MODEL] } });
    assertDone(result);
    assert.match(result.stdout, SENTENCE);
    const [warning, report, ...rest] = result.stderr.split("\n");
    assert.match(warning, /^W_DEVICE: /);
    assert.ok(warning.includes(`--allow-ffi=${LIBRARY_PATH}`), warning);
    assert.match(report, /^portable: /);
    assert.deepEqual(rest, [""]);
  },
);

Deno.test("transcribe refuses outputs that it may write but not rename before it works", async () => {
  await inFolder(async (folder) => {
    const result = await runCommand([...bareModel, "-o", folder, COMMAND], {
      permissions: { read: [DEMO_MODEL], write: [folder] },
    });
    assertRefused(result, "E_PERMISSION", new RegExp(`--allow-read=${folder}\n`));
    assert.deepEqual(filesIn(folder), []);
  });
});

Deno.test("transcribe of a URL names the host to permit", async () => {
  const result = await runCommand([...bareModel, "http://127.0.0.1:9/talk.wav"], {
    permissions: { read: [DEMO_MODEL] },
    flags: ["--deny-ffi"],
  });
  assert.equal(result.code, 77, result.stderr);
  assert.match(result.stderr, /^E_PERMISSION: .*--allow-net=127\.0\.0\.1:9$/m);
});
