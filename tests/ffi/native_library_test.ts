import { doesNotMatch, doesNotThrow, match, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import { OLDEST_DENO, openNativeLibrary, requireDeno } from "../../ffi/native_library.ts";
import { libraryCandidates, libraryFileName } from "../../ffi/library_path.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

interface Outcome {
  readonly path?: string;
  readonly variants?: string[];
  readonly code?: string;
  readonly message: string;
  readonly hint: string;
}

/** What a process with these permissions gets for a library path (or for none). */
async function openInChild(
  permissions: readonly string[],
  path?: string,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, "tests/ffi/_open_library.ts", ...(path ? [path] : [])],
    cwd: PROJECT_ROOT,
    env,
  }).output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Compiles a C source in that folder; null without a compiler. */
async function compile(folder: string, source: string): Promise<string | null> {
  const path = `${folder}/${libraryFileName("fake")}`;
  await Deno.writeTextFile(`${folder}/fake.c`, source);
  try {
    const args = ["-shared", "-fPIC", "-o", path, `${folder}/fake.c`];
    return (await new Deno.Command("cc", { args, stderr: "inherit" }).output()).success ? path : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

Deno.test("libraryCandidates() obeys the option alone, else the variable alone, else looks in the build folder", () => {
  const [given, ...others] = libraryCandidates("sotto_cpu", "/somewhere/lib.so");
  strictEqual(given.path, "/somewhere/lib.so");
  strictEqual(others.length, 0);
  strictEqual(libraryCandidates("sotto_cpu", new URL("file:///a%20b/lib.so"))[0].path, "/a b/lib.so");
  strictEqual(libraryCandidates("sotto_cpu", "file:///a/lib.so")[0].path, "/a/lib.so");
  const before = Deno.env.get("SOTTO_LIBRARY");
  try {
    Deno.env.delete("SOTTO_LIBRARY");
    strictEqual(libraryCandidates("sotto_cpu")[0].path, LIBRARY_PATH);
    Deno.env.set("SOTTO_LIBRARY", "/variable/lib.so");
    const candidates = libraryCandidates("sotto_cpu");
    strictEqual(candidates.length, 1);
    strictEqual(candidates[0].path, "/variable/lib.so");
    strictEqual(candidates[0].source, "SOTTO_LIBRARY");
  } finally {
    if (before === undefined) Deno.env.delete("SOTTO_LIBRARY");
    else Deno.env.set("SOTTO_LIBRARY", before);
  }
});

Deno.test("requireDeno() refuses every version before the oldest one, and none after", () => {
  for (const version of ["1.46.3", "2.0.0", "2.6.99", "2.7.5"]) {
    throws(
      () => requireDeno(version),
      (error: SottoError) => error.code === "E_NATIVE" && error.hint.includes("upgrade"),
    );
  }
  for (const version of [OLDEST_DENO.join("."), "2.7.6-rc.1", "2.7.10", "2.10.0", "3.0.0", "2.9.6+abc"]) {
    doesNotThrow(() => requireDeno(version), version);
  }
});

Deno.test("openNativeLibrary() lists what it tried when nothing is there", () => {
  const spec = { name: "sotto_cpu", symbols: {}, abiSymbol: "sotto_cpu_abi", abi: SOTTO_CPU_ABI };
  throws(() => openNativeLibrary(spec, "/nowhere/lib.so"), {
    code: "E_NATIVE",
    message: "Cannot open the native library sotto_cpu: no such file; tried /nowhere/lib.so (library option)",
    hint: "Run: deno task build",
  });
});

Deno.test("a library that may not be opened is E_PERMISSION with the exact flag", async () => {
  for (
    const permissions of [[], ["--allow-ffi=/another/lib.so"], ["--deny-ffi"], ["--allow-env", "--allow-net"]]
  ) {
    const outcome = await openInChild(permissions, "/nowhere/lib.so");
    strictEqual(outcome.code, "E_PERMISSION");
    strictEqual(outcome.hint, "Run with --allow-ffi=/nowhere/lib.so");
  }
});

testWithLibrary(
  "CpuLibrary.open() without permission names the flag, with that flag alone it works",
  async () => {
    const refused = await openInChild([]);
    strictEqual(refused.code, "E_PERMISSION");
    strictEqual(refused.hint, `Run with --allow-ffi=${LIBRARY_PATH}`);
    const opened = await openInChild([refused.hint.replace("Run with ", "")]);
    strictEqual(opened.path, LIBRARY_PATH);
    strictEqual(opened.variants?.[0], "ref");
    const folder = LIBRARY_PATH.slice(0, LIBRARY_PATH.lastIndexOf("/"));
    strictEqual((await openInChild([`--allow-ffi=${folder}`])).path, LIBRARY_PATH, "its folder does as well");
  },
);

testWithLibrary("SOTTO_LIBRARY is followed where it may be read, and has no say where not", async () => {
  const env = { SOTTO_LIBRARY: "/nowhere/lib.so" };
  const followed = await openInChild(
    ["--allow-env=SOTTO_LIBRARY", "--allow-read", "--allow-ffi"],
    undefined,
    env,
  );
  match(followed.message, /tried \/nowhere\/lib\.so \(SOTTO_LIBRARY\)/);
  const unread = await openInChild([`--allow-ffi=${LIBRARY_PATH}`], undefined, env);
  strictEqual(unread.path, LIBRARY_PATH);
});

Deno.test("a missing library is E_NATIVE also where the file system may not be read", async () => {
  const outcome = await openInChild(["--allow-ffi=/nowhere/lib.so"], "/nowhere/lib.so");
  strictEqual(outcome.code, "E_NATIVE");
  match(outcome.message, /^Cannot open \/nowhere\/lib\.so: .*[Nn]o such file/);
  strictEqual(outcome.hint, "Run: deno task build");
});

/** Libraries that are not ours, and what is said of them. */
const FAKES: readonly (readonly [what: string, source: string, message: RegExp])[] = [
  [
    "of another ABI, before its other symbols are asked for,",
    "unsigned sotto_cpu_abi(void) { return 99; }\n",
    new RegExp(`its ABI must be ${SOTTO_CPU_ABI}, is 99$`),
  ],
  ["without an ABI number", "int other(void) { return 1; }\n", /sotto_cpu_abi/],
  [
    "of our ABI that lacks a symbol",
    `unsigned sotto_cpu_abi(void) { return ${SOTTO_CPU_ABI}; }\n`,
    /undefined symbol: sotto_cpu_/,
  ],
];

for (const [what, source, message] of FAKES) {
  Deno.test(`a library ${what} is refused with E_NATIVE`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = await compile(folder, source);
      if (path === null) return console.log("skipped: no C compiler");
      const outcome = await openInChild([`--allow-ffi=${path}`], path);
      strictEqual(outcome.code, "E_NATIVE");
      match(outcome.message, message);
      strictEqual(outcome.hint, "Run: deno task build");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

testWithLibrary("a library that was cut short anywhere is refused before it is loaded", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const whole = await Deno.readFile(LIBRARY_PATH);
    for (const size of [0, 3, 63, 64, 4096, Math.floor(whole.length / 2), whole.length - 1]) {
      const path = `${folder}/lib${size}.so`;
      await Deno.writeFile(path, whole.subarray(0, size));
      const outcome = await openInChild(["--allow-read", "--allow-ffi"], path);
      strictEqual(outcome.code, "E_NATIVE", `${size} bytes`);
      match(outcome.message, size < 64 ? /not an ELF library/ : /cut short/);
      doesNotMatch(outcome.message, /\n/);
    }
    const other = whole.slice();
    other[18] ^= 0xff;
    await Deno.writeFile(`${folder}/other.so`, other);
    match(
      (await openInChild(["--allow-read", "--allow-ffi"], `${folder}/other.so`)).message,
      /it is for machine \d+/,
    );
    match(
      (await openInChild(["--allow-read", "--allow-ffi"], folder)).message,
      /it is not a file|Is a directory/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
