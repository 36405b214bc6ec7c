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

/** Runs the command without permissions, then with those that its one error names, which must be enough. */
async function followHint(args: readonly string[], cwd?: string): Promise<string[]> {
  const refused = await runCommand(args, { cwd });
  assertRefused(refused, "E_PERMISSION", /Run again with --allow-/);
  assert.equal(refused.stdout, "");
  const flags = flagsToAdd(refused);
  const result = await runCommand(args, { flags, cwd });
  assertDone(result);
  assert.match(result.stdout, SENTENCE);
  return flags;
}

testWithLibrary("transcribe names all missing flags exactly, at once", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    await Deno.mkdir(out);
    const audio = join(folder, "talk.wav");
    await Deno.copyFile(COMMAND, audio);
    const flags = await followHint([...bareModel, "--device", "cpu", "-o", out, "-f", "txt", audio]);
    assert.deepEqual(
      flags.toSorted(),
      [
        `--allow-ffi=${LIBRARY_PATH}`,
        `--allow-read=${audio},${out},${DEMO_MODEL}`,
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
    await followHint(args, folder);
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
    assertRefused(result, "E_PERMISSION", new RegExp(`with --allow-read=${folder}( |\n)`));
    assert.deepEqual(filesIn(folder), []);
  });
});

Deno.test("transcribe under no permission names those of a model's file, its overlay and its precision", async () => {
  const args = ["--model", "./m.bin", "--precision_file", "p.json", "--npu_overlay", "o.xclbin", "a,b.wav"];
  const result = await runCommand(args);
  assertRefused(result, "E_PERMISSION", / --allow-read=a,,b\.wav,\.\/m\.bin,p\.json,o\.xclbin --allow-ffi=/);
});

Deno.test("transcribe says that a model by a path may not be read, not that there is none", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(join(folder, "base")); // nearly the name of a model
    const result = await runCommand(["--model", "./base", "-"], { cwd: folder });
    assertRefused(result, "E_PERMISSION", / --allow-read=\.\/base( |\n)/);
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
