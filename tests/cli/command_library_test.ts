import assert from "node:assert/strict";
import { join } from "node:path";
import { SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import { libraryFileName } from "../../ffi/library_path.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import {
  assertDone,
  assertRefused,
  DEMO_MODEL,
  eachCommand,
  inFolder,
  recording,
  runCommand,
} from "../support/command.ts";

const COMMAND = recording("01_command");
const SENTENCE = /The train to Paris leaves at three twenty-four/;
const NAME = libraryFileName("sotto_cpu");

/** Compiles a library of a few lines; null where there is no C compiler. */
async function compile(source: string, path: string): Promise<string | null> {
  const file = `${path}.c`;
  await Deno.writeTextFile(file, source);
  const { success } = await new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-nostdlib", "-o", path, file],
    stderr: "null",
  }).output().catch(() => ({ success: false }));
  await Deno.remove(file);
  return success ? path : null;
}

/** The first half kilobyte of a library for another processor: an ELF-64 header with its `e_machine`. */
function foreignLibrary(): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const view = new DataView(bytes.buffer);
  view.setUint16(16, 3, true); // a shared object
  view.setUint16(18, 243, true); // RISC-V, on which there is no Deno
  return bytes;
}

Deno.test("transcribe refuses a library that cannot be used, and says why", async (t) => {
  await inFolder(async (folder) => {
    const put = async (name: string, content: Uint8Array | string): Promise<string> => {
      const path = join(folder, name, NAME);
      await Deno.mkdir(join(folder, name));
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      return path;
    };
    const compiled = async (name: string, source: string): Promise<string | null> => {
      await Deno.mkdir(join(folder, name));
      return await compile(source, join(folder, name, NAME));
    };
    const isLinux = Deno.build.os === "linux";
    const found: { name: string; path: string | null; message: RegExp }[] = [
      { name: "missing", path: join(folder, NAME), message: /no such file; tried .*deno task build/ },
      { name: "a folder", path: folder, message: /it is not a file/ },
      {
        name: "a text file",
        path: await put("text", "hello"),
        message: isLinux ? /not an ELF/ : /Cannot open/,
      },
      { name: "empty", path: await put("empty", ""), message: isLinux ? /not an ELF/ : /Cannot open/ },
      {
        name: "for another processor",
        path: await put("foreign", foreignLibrary()),
        message: isLinux ? new RegExp(`it is for machine 243, this is ${Deno.build.arch}`) : /Cannot open/,
      },
      {
        name: "of another ABI",
        path: await compiled("abi", "unsigned sotto_cpu_abi(void) { return 999999; }\n"),
        message: /its ABI must be \d+, is 999999/,
      },
      {
        name: "another library altogether",
        path: await compiled("other", "int answer(void) { return 42; }\n"),
        message: /sotto_cpu_abi/,
      },
      {
        name: "of this ABI but without its functions",
        path: await compiled("hollow", `unsigned sotto_cpu_abi(void) { return ${SOTTO_CPU_ABI}; }\n`),
        message: /sotto_cpu_/,
      },
    ];
    const cases = found.flatMap((each) => each.path === null ? [] : [{ ...each, path: each.path }]);
    for (const { name } of found.filter(({ path }) => path === null)) {
      await t.step({ name: `skipped: ${name} (no C compiler)`, ignore: true, fn: () => {} });
    }
    const run = ({ path }: typeof cases[number]) =>
      runCommand(["--model", DEMO_MODEL, "--library", path, COMMAND], {
        permissions: { read: [DEMO_MODEL, folder], ffi: [folder] },
      });
    await eachCommand(t, cases, run, (result, each) => {
      assertRefused(result, "E_NATIVE", each.message);
      assert.ok(result.stderr.includes(each.path), "the path is named");
      assert.equal(result.stdout, "");
    });
  });
});

testWithLibrary("transcribe refuses a library that is cut short instead of dying of it", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, NAME);
    const bytes = await Deno.readFile(LIBRARY_PATH);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length >> 1));
    const result = await runCommand(["--model", DEMO_MODEL, "--library", path, COMMAND], {
      permissions: { read: [DEMO_MODEL, folder], ffi: [folder] },
    });
    assertRefused(result, "E_NATIVE", /cut short/);
  });
});

testWithLibrary("transcribe takes the library of --library, and that of SOTTO_LIBRARY", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, NAME);
    await Deno.copyFile(LIBRARY_PATH, path);
    const permissions = { read: [DEMO_MODEL], ffi: [path] };
    const given = await runCommand(["--model", DEMO_MODEL, "--library", path, COMMAND], { permissions });
    assertDone(given);
    assert.match(given.stderr, /^cpu: /);
    const named = await runCommand(["--model", DEMO_MODEL, COMMAND], {
      permissions: { ...permissions, env: ["SOTTO_LIBRARY"] },
      env: { SOTTO_LIBRARY: path },
    });
    assertDone(named);
    assert.match(named.stderr, /^cpu: /);
  });
});

Deno.test("transcribe on auto runs on the portable device if SOTTO_LIBRARY is unusable; on cpu it refuses", async () => {
  const path = "/no/such/library.so";
  const options = {
    permissions: { read: [DEMO_MODEL, path], ffi: [path], env: ["SOTTO_LIBRARY"] },
    env: { SOTTO_LIBRARY: path },
  };
  const auto = await runCommand(["--model", DEMO_MODEL, COMMAND], options);
  assertDone(auto);
  assert.match(auto.stderr, /^W_DEVICE: .*\/no\/such\/library\.so.*\nportable: .*\n$/);
  assert.match(auto.stdout, SENTENCE);
  const cpu = await runCommand(["--model", DEMO_MODEL, "--device", "cpu", COMMAND], options);
  assertRefused(cpu, "E_NATIVE", /\/no\/such\/library\.so \(SOTTO_LIBRARY\)/);
});
