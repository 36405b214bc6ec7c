/**
 * Compiles `libsotto_cpu` and `libsotto_npu_emulated` for this machine, or another, with whatever C compiler there is; and
 * `libsotto_xrt` where libxrt's headers are.
 *
 * `deno run -A native/build.ts [--optional] [--compiler CC] [--sanitize LIST] [--target TRIPLE] [--force] [--xrt FOLDER]`
 *
 * @module
 */

import { relative } from "node:path";
import { printError } from "../cli/console.ts";
import { taskArguments } from "../cli/task_arguments.ts";
import { buildEmulatedNpu, buildXrtShim } from "./build_npu.ts";
import {
  build,
  type BuildOptions,
  type Built,
  findToolchain,
  libraryName,
  sharedLibraryFlags,
} from "./compile.ts";
import { cFiles } from "./files.ts";
import { BuildError } from "./objects.ts";

export { buildEmulatedNpu, buildNpuBeneath, buildNpuProgram, buildXrtShim } from "./build_npu.ts";
export { BuildError } from "./objects.ts";
export { buildFolder, type BuildOptions, type Built, libraryName, type Machine } from "./compile.ts";

/**
 * Builds the CPU library, if it is missing or stale.
 *
 * @throws {BuildError} if there is no compiler, or it refuses the sources.
 */
export async function buildLibrary(options: BuildOptions = {}): Promise<Built> {
  const toolchain = await findToolchain(options);
  return await build(
    toolchain,
    options,
    libraryName(toolchain.machine.os),
    await cFiles("cpu"),
    [],
    sharedLibraryFlags(toolchain.machine.os, "sotto_cpu"),
  );
}

/**
 * Builds a program from C files of the caller's and all of the library's, whose inner functions it may call.
 *
 * @param sources C files, relative to `native/`.
 * @throws {BuildError} as {@linkcode buildLibrary}.
 */
export async function buildProgram(
  name: string,
  sources: readonly string[],
  options: BuildOptions = {},
): Promise<Built> {
  const toolchain = await findToolchain(options);
  const linkFlags = options.target === undefined ? [] : ["-static"];
  return await build(toolchain, options, name, await cFiles("cpu"), sources, linkFlags);
}

const OPTIONS = {
  optional: { type: "boolean" },
  force: { type: "boolean" },
  compiler: { type: "string" },
  sanitize: { type: "string" },
  target: { type: "string" },
  xrt: { type: "string" },
} as const;

const USAGE =
  "What may be typed: [--optional] [--force] [--compiler NAME] [--sanitize KINDS] [--target PREFIX] [--xrt FOLDER]";

/** Says what takes a while. */
function tell(path: string): void {
  console.error(`compiling ${relative(Deno.cwd(), path)}, once; this may take a minute`);
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = taskArguments(args, { options: OPTIONS }, USAGE);
  try {
    const started = performance.now();
    for (const buildOne of [buildLibrary, buildEmulatedNpu, buildXrtShim]) {
      const built = await buildOne({ ...values, onCompile: tell }).catch((error) => {
        if (!(error instanceof BuildError) || error.reason !== "not-here" || values.xrt !== undefined) {
          throw error;
        }
        return error;
      });
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (built instanceof BuildError) {
        if (!values.optional) console.error(built.message);
      } else if (built.compiled) console.error(`built ${relative(Deno.cwd(), built.path)} in ${seconds} s`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    if (values.optional && error.reason === "no-compiler") {
      console.error(`${error.message}; the portable TypeScript device will be used`);
      return 0;
    }
    console.error(error.output + error.message);
    return 1;
  }
}

if (import.meta.main) {
  Deno.exit(await main(Deno.args).catch((error) => printError(error, false)));
}
