import assert from "node:assert/strict";
import { join } from "node:path";
import { checkOutputs, outputTargets, writeWhole } from "../../cli/output_files.ts";
import { SottoError } from "../../errors.ts";

const coded = (code: string) => (error: unknown): boolean =>
  error instanceof SottoError && error.code === code;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const entries = (folder: string): string[] => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("outputTargets() drops folders and the last extension", () => {
  const paths = (input: string) => outputTargets(input, "out", ["txt", "srt"]).map(({ path }) => path);
  assert.deepEqual(paths("talks/a.b.mp3"), [join("out", "a.b.txt"), join("out", "a.b.srt")]);
  assert.deepEqual(paths("-"), [join("out", "stdin.txt"), join("out", "stdin.srt")]);
});

Deno.test("checkOutputs() makes the folder and leaves it empty", async () => {
  await inFolder(async (folder) => {
    const inner = join(folder, "a", "b");
    await checkOutputs(inner, ["x.wav"], outputTargets("x.wav", inner, ["txt"]));
    assert.deepEqual(entries(inner), []);
  });
});

Deno.test("checkOutputs() refuses a file as folder, a folder as target, an input as target, a target twice", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    await assert.rejects(checkOutputs(file, [], []), coded("E_OUTPUT"));
    await Deno.mkdir(join(folder, "x.txt"));
    await assert.rejects(
      checkOutputs(folder, ["x.wav"], outputTargets("x.wav", folder, ["txt"])),
      coded("E_OUTPUT"),
    );
    const input = join(folder, "y.txt");
    await assert.rejects(
      checkOutputs(folder, [input], outputTargets(input, folder, ["txt"])),
      coded("E_OUTPUT"),
    );
    const twice = ["a/z.wav", "b/z.mp3"];
    const targets = twice.flatMap((input) => outputTargets(input, folder, ["txt"]));
    await assert.rejects(checkOutputs(folder, twice, targets), coded("E_OUTPUT"));
  });
});

Deno.test("writeWhole() replaces a file and leaves nothing else", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "x.txt");
    await writeWhole(path, "old");
    await writeWhole(path, "new — ü");
    assert.equal(await Deno.readTextFile(path), "new — ü");
    assert.deepEqual(entries(folder), ["x.txt"]);
  });
});

Deno.test("writeWhole() leaves the old file and no temporary one when it fails", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "x.txt");
    await Deno.mkdir(path);
    await assert.rejects(writeWhole(path, "new"), coded("E_OUTPUT"));
    assert.deepEqual(entries(folder), ["x.txt"]);
  });
});

Deno.test("writeWhole() reports a full disk, and leaves the old file and no temporary one", async (t) => {
  await inFolder(async (folder) => {
    const mounted = Deno.build.os === "linux" &&
      (await new Deno.Command("mount", {
        args: ["-t", "tmpfs", "-o", "size=64k", "none", folder],
        stderr: "null",
      }).output()
        .catch(() => null))?.success;
    await t.step({
      name: mounted ? "on a file system of 64 KiB" : "skipped: no right to mount a small file system",
      ignore: !mounted,
      fn: async () => {
        try {
          const path = join(folder, "x.txt");
          await writeWhole(path, "old");
          await assert.rejects(writeWhole(path, "x".repeat(1 << 20)), coded("E_DISK_FULL"));
          assert.equal(await Deno.readTextFile(path), "old");
          assert.deepEqual(entries(folder), ["x.txt"]);
        } finally {
          await new Deno.Command("umount", { args: [folder] }).output();
        }
      },
    });
  });
});
