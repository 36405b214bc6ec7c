/**
 * Builds the libraries of the NPU: the emulated one, the shim over libxrt where libxrt is, and what tests put beneath libxrt.
 *
 * @module
 */

import { join } from "node:path";
import {
  build,
  type BuildOptions,
  type Built,
  findToolchain,
  libraryName,
  sharedLibraryFlags,
  textOf,
} from "./compile.ts";
import { cFiles, readIfThere } from "./files.ts";
import { BuildError } from "./objects.ts";

/** libxrt's interface is C++17; its headers are not ours to be warned of. */
const CXX_FLAGS: readonly string[] = [
  "-O2",
  "-std=c++17",
  "-fPIC",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
];

/** Where AMD's own packages put libxrt's libraries, which the system's loader does not search. */
const INSTALLED_BY_AMD = "/opt/xilinx/xrt/lib";

/** What libraries beside the CPU library take from its folder. */
const SHARED_SOURCES: readonly string[] = [
  "status",
  "threads",
  "placement",
  "handles",
  "memory",
  "cpu_features",
].map((
  name,
) => `cpu/${name}.c`);

/** The C files of the library of the emulated NPU. */
async function emulatedSources(): Promise<string[]> {
  return [...await modelSources(), ...await cFiles("npu_emulated"), ...await cFiles("axlf")];
}

/** The C files of the NPU's model, without either door. */
async function modelSources(): Promise<string[]> {
  const model = (await cFiles("npu_model")).filter((file) => !file.startsWith("npu_model/beneath/"));
  return [...model, ...SHARED_SOURCES];
}

/**
 * Builds the library of the emulated NPU, if it is missing or stale.
 *
 * @throws {BuildError} as {@linkcode buildLibrary}; `not-here` on Windows.
 */
export async function buildEmulatedNpu(options: BuildOptions = {}): Promise<Built> {
  const toolchain = await findToolchain(options);
  const { os } = toolchain.machine;
  if (os === "windows") {
    throw new BuildError("libsotto_npu_emulated was not built: it is not for Windows", "not-here");
  }
  const name = "sotto_npu_emulated";
  const flags = sharedLibraryFlags(os, name);
  return await build(toolchain, options, libraryName(os, name), await emulatedSources(), [], flags);
}

/**
 * Builds the library to be preloaded that puts the NPU's model beneath libxrt, if it is missing or stale. Linux only.
 *
 * @throws {BuildError} as {@linkcode buildLibrary}.
 */
export async function buildNpuBeneath(options: BuildOptions = {}): Promise<Built> {
  const toolchain = await findToolchain(options);
  const sources = [...await modelSources(), ...await cFiles("npu_model/beneath")];
  const name = "sotto_npu_beneath";
  const flags = ["-shared", "-Wl,-z,now", "-Wl,--no-undefined", "-ldl"];
  return await build(toolchain, options, libraryName("linux", name), sources, [], flags);
}

/**
 * Builds the shim over libxrt, if it is missing or stale.
 *
 * @throws {BuildError} as {@linkcode buildLibrary}; `not-here` where libxrt's headers are not, or no C++ compiler is.
 */
export async function buildXrtShim(options: BuildOptions = {}): Promise<Built> {
  if (options.target !== undefined && options.xrt === undefined) {
    throw new BuildError(`libsotto_xrt was not built: no libxrt of ${options.target} was given`, "not-here");
  }
  const xrt = await findXrt(options.xrt);
  const toolchain = await findToolchain(options);
  const command = await firstThatRuns(cxxCandidates(options));
  if (command === null) {
    throw new BuildError("libsotto_xrt was not built: no C++ compiler was found", "not-here");
  }
  const sources = [...await cFiles("xrt", [".cc"]), ...await cFiles("axlf"), "cpu/status.c", "cpu/handles.c"];
  const flags = [
    ...sharedLibraryFlags("linux", "sotto_xrt"),
    `-L${xrt.library}`,
    "-l:libxrt_coreutil.so.2",
    // libxrt's own needs are found where it is loaded, which may not be here.
    "-Wl,--allow-shlib-undefined",
    ...(options.release
      ? [`-Wl,-rpath,${INSTALLED_BY_AMD}`]
      : xrt.library.startsWith("/usr/lib")
      ? []
      : [`-Wl,-rpath,${xrt.library}`]),
  ];
  const cxx = { command, flags: [...CXX_FLAGS, "-isystem", xrt.include] };
  return await build(toolchain, options, libraryName("linux", "sotto_xrt"), sources, [], flags, cxx);
}

/** Where libxrt's headers and its library are. */
async function findXrt(given?: string): Promise<{ include: string; library: string }> {
  const folders = given === undefined ? ["/usr", "/opt/xilinx/xrt"] : [given, join(given, "usr")];
  for (const folder of folders) {
    if (await readIfThere(join(folder, "include/xrt/xrt_device.h"), true) === null) continue;
    for (const name of [`lib/${Deno.build.arch}-linux-gnu`, "lib", "lib64"]) {
      const library = join(folder, name);
      if (await readIfThere(join(library, "libxrt_coreutil.so.2"), true) !== null) {
        return { include: join(folder, "include"), library };
      }
    }
  }
  const tried = folders.join(", ");
  throw new BuildError(
    `libsotto_xrt was not built: libxrt and its headers are in none of ${tried}`,
    "not-here",
  );
}

/**
 * Builds a program from C files of the caller's and all of the emulated NPU's library, whose inner functions it may call.
 *
 * @param sources C files, relative to `native/`.
 * @param wrapped Functions that the caller's `__wrap_` ones stand before.
 * @throws {BuildError} as {@linkcode buildLibrary}.
 */
export async function buildNpuProgram(
  name: string,
  sources: readonly string[],
  options: BuildOptions = {},
  wrapped: readonly string[] = [],
): Promise<Built> {
  const toolchain = await findToolchain(options);
  const flags = wrapped.map((symbol) => `-Wl,--wrap=${symbol}`);
  return await build(toolchain, options, name, await emulatedSources(), sources, flags);
}

/** C++ compilers to try: `$CXX`, then what goes with the C compiler. */
function cxxCandidates(options: BuildOptions): string[] {
  const wanted = Deno.env.get("CXX");
  if (wanted !== undefined && wanted !== "") return [wanted];
  return options.target === undefined ? ["c++", "g++", "clang++"] : [`${options.target}-g++`];
}

async function firstThatRuns(commands: readonly string[]): Promise<string | null> {
  for (const command of commands) if (await textOf(command, ["--version"]) !== null) return command;
  return null;
}
