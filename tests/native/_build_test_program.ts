/** Compiles one of the test programs in `native/tests`, where there is a C compiler. */

import assert from "node:assert/strict";

import { BuildError, type BuildOptions, buildProgram, type Built } from "../../native/build.ts";

/** Sources of the test programs, relative to `native/`. */
export const PROGRAMS = {
  kernels_test: [
    "tests/kernels_test.c",
    "tests/kernel_check.c",
    "tests/test_gemm.c",
    "tests/f16_emulated.c",
    "tests/test_attention.c",
    "tests/test_rows.c",
    "tests/test_decoder_kernels.c",
    "tests/test_choose.c",
    "tests/test_formats.c",
  ],
  library_test: ["tests/library_test.c", "tests/test_placement.c", "tests/test_scratch.c"],
  decoder_test: ["tests/decoder_test.c", "tests/test_together.c", "tests/test_cancel.c"],
  convert_test: ["tests/convert_test.c"],
  replay: ["tests/replay.c"],
} as const;

/** The path of a test program; null, with one line said, where it cannot be compiled. */
export async function buildTestProgram(
  name: keyof typeof PROGRAMS,
  options: BuildOptions = {},
): Promise<string | null> {
  return await unlessMissing(name, options, () => buildProgram(name, PROGRAMS[name], options));
}

/** The path of what is built; null, with one line said, where there is no compiler, or it lacks a sanitizer's library. */
export async function unlessMissing(
  name: string,
  { sanitize }: BuildOptions,
  build: () => Promise<Built>,
): Promise<string | null> {
  try {
    return (await build()).path;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const isMissing = error.reason === "no-compiler" ||
      /cannot find -l|unsupported option|unknown option/.test(error.output);
    if (!isMissing) throw new Error(error.output, { cause: error });
    console.log(`skipped: ${name}${sanitize ? ` with ${sanitize}` : ""} (${error.message})`);
    return null;
  }
}

/** What a program printed, and how it ended. */
export async function runProgram(
  path: string,
  args: readonly string[] = [],
): Promise<{ readonly code: number; readonly lines: string[] }> {
  const env = { UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1", TSAN_OPTIONS: "halt_on_error=1" };
  const { code, stdout, stderr } = await new Deno.Command(path, { args: [...args], env }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  return {
    code,
    lines: [...lines, ...new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "")],
  };
}

/** Runs a program that prints FAIL for what is wrong, and ends with 0 if nothing is. */
export async function assertPasses(path: string, args: readonly string[] = []): Promise<void> {
  const { code, lines } = await runProgram(path, args);
  assert.deepEqual(lines.filter((line) => line.startsWith("FAIL")), []);
  assert.equal(code, 0, lines.join("\n"));
}
