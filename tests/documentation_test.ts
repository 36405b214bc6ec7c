// What the documentation of the exports promises: examples run, nothing is undocumented, the package can be published.

import assert from "node:assert/strict";
import { denoCommand, resultOf } from "./support/command.ts";
import { PROJECT_ROOT } from "./support/shared_data.ts";

const ROOT = PROJECT_ROOT.pathname;
const ENTRIES = ["mod.ts", "tensor/mod.ts", "notebook/mod.ts"];

async function deno(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await resultOf(denoCommand(args, { cwd: ROOT }).spawn());
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

/** Modules whose documentation has an example, those that are marked as not to be run apart. */
function documented(): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(ROOT + folder)) {
      const path = `${folder}${name}`;
      if (isDirectory && !/^(tests|bench|models|native\/build|\.\w+|dist)$/.test(path)) visit(`${path}/`);
      if (!path.endsWith(".ts") || path.startsWith("tests/")) continue;
      if (/^ *\* ```ts$/m.test(Deno.readTextFileSync(ROOT + path))) found.push(path);
    }
  };
  visit("");
  return found;
}

Deno.test("Examples in the documentation run", async () => {
  const modules = documented();
  for (const entry of ["mod.ts", "whisper_model.ts"]) assert.ok(modules.includes(entry), entry);
  const said = await deno("test", "--doc", "-A", "--no-check", ...modules);
  assert.ok(Number(said.match(/(\d+) passed/)![1]) >= modules.length, said);
});

Deno.test("Every export is documented, and its types are public", async () => {
  await deno("doc", "--lint", ...ENTRIES);
});

Deno.test("The package can be published", async () => {
  assert.match(await deno("publish", "--dry-run", "--allow-dirty", "--no-check"), /Dry run complete/);
});
