// The package for Linux on arm64, its library opened under emulation.

import assert from "node:assert/strict";
import { join } from "node:path";
import { SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import { platformPackageOf, PLATFORMS } from "../../pack/packages.ts";
import { inFolder } from "../support/command.ts";
import { untar } from "./_registry.ts";

const TRIPLE = "aarch64-linux-gnu";
const PROGRAM = `
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
int main(int count, char **arguments) {
  void *library = dlopen(arguments[count - 1], RTLD_NOW);
  if (library == NULL) return puts(dlerror()), 1;
  uint32_t (*abi)(void) = (uint32_t (*)(void))dlsym(library, "sotto_cpu_abi");
  return printf("ABI %u\\n", abi()) < 0;
}`;

async function run(program: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

const platform = PLATFORMS.find(({ arch }) => arch === "aarch64")!;
const missing = Deno.build.os !== "linux" || platform.target === undefined
  ? "this is no machine to emulate another on"
  : await run("qemu-aarch64", "--version") === null
  ? "no qemu-aarch64"
  : await run(`${TRIPLE}-gcc`, "--version") === null
  ? "no cross compiler"
  : "";
if (missing !== "") console.log(`skipped: the library for arm64 is not run (${missing})`);

Deno.test({
  name: "The library for Linux on arm64 loads and answers with its ABI number",
  ignore: missing !== "",
  fn: async () => {
    await inFolder(async (folder) => {
      const library = join(folder, "libsotto_cpu.so");
      const { bytes } = await platformPackageOf(platform);
      await Deno.writeFile(library, untar(bytes).get("package/libsotto_cpu.so")!);
      const source = join(folder, "main.c");
      await Deno.writeTextFile(source, PROGRAM);
      const program = join(folder, "main");
      assert.notEqual(await run(`${TRIPLE}-gcc`, source, "-o", program, "-ldl"), null);
      const printed = await run("qemu-aarch64", "-L", `/usr/${TRIPLE}`, program, library);
      assert.equal(printed, `ABI ${SOTTO_CPU_ABI}\n`);
    });
  },
});
