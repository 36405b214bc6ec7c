import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { DIGEST_SUFFIX } from "../../ffi/library_digest.ts";
import { libraryFileName, librarySteps, platformPackage } from "../../ffi/library_path.ts";
import { installLibrary } from "../../native/install.ts";
import { inFolder } from "../support/command.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const FILE = libraryFileName("sotto_cpu");

/** Opens the library from a copy of the modules that has no build folder, with that cache; what came of it. */
async function openWithoutBuild(
  folder: string,
  permissions: readonly string[],
): Promise<{ path?: string; code?: string; message: string }> {
  const tree = join(folder, "tree");
  for (const name of ["ffi", "model", "tensor", "notebook", "kernels", "tests/ffi"]) {
    await Deno.mkdir(dirname(join(tree, name)), { recursive: true });
    await Deno.symlink(new URL(name, PROJECT_ROOT), join(tree, name)).catch(() => {});
  }
  for (const { name } of Deno.readDirSync(PROJECT_ROOT)) {
    if (name.endsWith(".ts")) {
      await Deno.symlink(new URL(name, PROJECT_ROOT), join(tree, name)).catch(() => {});
    }
  }
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...permissions, join(tree, "tests/ffi/_open_library.ts")],
    env: { SOTTO_CACHE: join(folder, "cache") },
    cwd: folder,
  }).output();
  strictEqual(success, true, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("librarySteps() says of every step where it leads, or why nowhere", () => {
  const before = Deno.env.get("SOTTO_LIBRARY");
  try {
    Deno.env.delete("SOTTO_LIBRARY");
    const steps = Object.fromEntries(librarySteps("sotto_cpu").map((step) => [step.source, step]));
    strictEqual(steps["library option"].reason, "not given");
    match(steps.SOTTO_LIBRARY.reason, /--allow-env=SOTTO_LIBRARY/);
    strictEqual(steps["build folder"].path, LIBRARY_PATH);
    strictEqual(steps["npm package"].reason, `${platformPackage()} is not installed`);
    match(steps.cache.path!, new RegExp(`native/${Deno.build.os}-${Deno.build.arch}/${FILE}$`));
    Deno.env.set("SOTTO_LIBRARY", "/x/lib.so");
    deepStrictEqual(librarySteps("sotto_cpu").filter(({ path }) => path !== null).map(({ path }) => path), [
      "/x/lib.so",
    ]);
  } finally {
    if (before === undefined) Deno.env.delete("SOTTO_LIBRARY");
    else Deno.env.set("SOTTO_LIBRARY", before);
  }
});

Deno.test("platformPackage() names systems and processors as npm does", () => {
  strictEqual(platformPackage("linux", "x86_64"), "sotto-linux-x64");
  strictEqual(platformPackage("darwin", "aarch64"), "sotto-darwin-arm64");
  strictEqual(platformPackage("windows", "x86_64"), "sotto-win32-x64");
});

testWithLibrary("A library in the cache is opened if it is what was installed, and only then", async () => {
  await inFolder(async (folder) => {
    const native = join(folder, "cache", "native", `${Deno.build.os}-${Deno.build.arch}`);
    const path = await installLibrary(LIBRARY_PATH, native);
    strictEqual((await Deno.stat(native)).mode! & 0o777, 0o700);
    const read = `--allow-read=${join(folder, "tree")},${native}`;
    const permissions = ["--allow-env=SOTTO_CACHE", read, `--allow-ffi=${native}`];
    strictEqual((await openWithoutBuild(folder, permissions)).path, path);

    const unread = await openWithoutBuild(folder, ["--allow-env=SOTTO_CACHE", `--allow-ffi=${native}`]);
    strictEqual(unread.path, undefined, "what cannot be checked is not opened");

    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await Deno.writeFile(path, bytes);
    const changed = await openWithoutBuild(folder, permissions);
    strictEqual(changed.code, "E_INTEGRITY");
    match(changed.message, /its SHA-256 must be [0-9a-f]{64}, is [0-9a-f]{64}/);
    await Deno.remove(path + DIGEST_SUFFIX);
    strictEqual((await openWithoutBuild(folder, permissions)).code, "E_INTEGRITY");
    await rejects(installLibrary("/no/such/library", native), Deno.errors.NotFound);
  });
});
