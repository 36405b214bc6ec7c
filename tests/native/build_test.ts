/** native/build.ts, and what the library it makes needs. */

import assert from "node:assert/strict";

import { BuildError, buildLibrary } from "../../native/build.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

async function run(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "native/build.ts", ...args],
    cwd: PROJECT_ROOT,
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Whether a command is there. */
function exists(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** The library's path, or null without a compiler. */
async function library(): Promise<string | null> {
  try {
    return (await buildLibrary()).path;
  } catch (error) {
    if (!(error instanceof BuildError) || error.reason !== "no-compiler") throw error;
    console.log(`skipped: ${error.message}`);
    return null;
  }
}

Deno.test("build.ts --optional says in one line that there is no compiler, and succeeds", async () => {
  const { code, text } = await run(["--optional", "--compiler", "no-such-compiler"]);
  assert.equal(code, 0);
  assert.equal(text.trim().split("\n").length, 1);
  assert.match(
    text,
    /No C compiler was found: tried no-such-compiler; the portable TypeScript device will be used/,
  );
});

Deno.test("build.ts fails without a compiler unless that is said to be fine", async () => {
  const { code, text } = await run(["--compiler", "no-such-compiler"]);
  assert.equal(code, 1);
  assert.match(text, /No C compiler was found/);
});

Deno.test("build.ts compiles nothing while nothing has changed", async () => {
  if (await library() === null) return;
  assert.equal((await buildLibrary()).compiled, false);
});

Deno.test("buildLibrary() shows what a compiler has against the sources", async () => {
  if (Deno.build.os === "windows" || await library() === null) return;
  const compiler = await Deno.makeTempFile({ suffix: "-cc" });
  try {
    await Deno.writeTextFile(
      compiler,
      '#!/bin/sh\ncase "$1" in --version) echo "fake 1";; -dumpmachine) echo "testing-linux-gnu";; *) echo "error: no" >&2; exit 1;; esac\n',
    );
    await Deno.chmod(compiler, 0o755);
    const { code, text } = await run(["--optional", "--compiler", compiler]);
    assert.equal(code, 1);
    assert.match(text, /error: no\n.*could not compile native\/cpu\//);
  } finally {
    await Deno.remove(compiler);
    await Deno.remove(new URL("native/build/linux-testing", PROJECT_ROOT), { recursive: true });
  }
});

Deno.test("the library needs libc, libm and pthreads only, and exports nothing but its interface", async () => {
  const path = await library();
  if (path === null) return;
  if (!exists("readelf") || Deno.build.os !== "linux") {
    console.log("skipped: what the library needs (no readelf)");
    return;
  }
  const read = async (flag: string): Promise<string> => {
    const { stdout } = await new Deno.Command("readelf", { args: ["-W", flag, path] }).output();
    return new TextDecoder().decode(stdout);
  };
  const dynamic = await read("-d");
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*?)\]/g)].map(([, name]) => name);
  assert(needed.length > 0);
  for (const name of needed) {
    assert.match(name, /^(libc|libm|libpthread|ld-linux|ld-musl)[.-]/, `needs ${name}`);
  }
  assert.match(dynamic, /NODELETE/);
  assert.match(dynamic, /NOW/);

  const exported = (await read("--dyn-syms")).split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[4] === "GLOBAL" && fields[6] !== "UND" && fields[7] !== undefined)
    .map((fields) => fields[7]);
  assert(exported.length > 0);
  for (const symbol of exported) assert.match(symbol, /^sotto_cpu_/, `exports ${symbol}`);
});
