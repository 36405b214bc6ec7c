/** Compiles one of the test programs in `native/tests`, where there is a C compiler. */

import { BuildError, type BuildOptions, buildProgram } from "../../native/build.ts";

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
    "tests/test_formats.c",
  ],
  library_test: ["tests/library_test.c"],
  decoder_test: ["tests/decoder_test.c"],
  convert_test: ["tests/convert_test.c"],
} as const;

/** The path of a test program; null, with one line said, where there is no C compiler. */
export async function buildTestProgram(
  name: keyof typeof PROGRAMS,
  options: BuildOptions = {},
): Promise<string | null> {
  try {
    return (await buildProgram(name, PROGRAMS[name], options)).path;
  } catch (error) {
    if (!(error instanceof BuildError) || error.reason !== "no-compiler") throw error;
    console.log(`skipped: ${name} (${error.message})`);
    return null;
  }
}

/** What a program printed, and how it ended. */
export async function runProgram(
  path: string,
  args: readonly string[] = [],
): Promise<{ readonly code: number; readonly lines: string[] }> {
  const { code, stdout, stderr } = await new Deno.Command(path, { args: [...args] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  return {
    code,
    lines: [...lines, ...new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "")],
  };
}
