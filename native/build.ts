/**
 * Compiles `libsotto_cpu` and `libsotto_npu_emulated` for this machine, or another, with whatever C compiler there is; and
 * `libsotto_xrt` where libxrt's headers are.
 *
 * `deno run -A native/build.ts [--optional] [--compiler CC] [--sanitize LIST] [--target TRIPLE] [--force] [--xrt FOLDER]`
 *
 * A library lies in `native/build/<os>-<arch>/`, beside the hash of all it was made of; while the hash is the
 * same nothing is compiled. It is written under another name and renamed, so that no one opens half a library.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";

/** The folder of the native sources, absolute. */
const NATIVE: string = import.meta.dirname!;

/** Portable code: no instruction beyond the architecture's baseline. No contraction, so that sums are the same everywhere. */
const BASE_FLAGS: readonly string[] = [
  "-O3",
  "-std=c11",
  "-fPIC",
  "-fvisibility=hidden",
  "-ffp-contract=off",
  "-fno-math-errno",
  "-Wall",
  "-Wextra",
  "-Wno-unknown-pragmas",
];

const AVX2_FLAGS: readonly string[] = ["-mavx2", "-mfma", "-mf16c"];
const AVX512_FLAGS: readonly string[] = [
  ...AVX2_FLAGS,
  "-mavx512f",
  "-mavx512bw",
  "-mavx512vl",
  "-mavx512dq",
  "-mprefer-vector-width=512",
];

/** libxrt's interface is C++17; its headers are not ours to be warned of. */
const CXX_FLAGS: readonly string[] = [
  "-O2",
  "-std=c++17",
  "-fPIC",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
];

/** What the files of a variant's folder may use beyond the baseline; the CPU is asked before they are called. */
const VARIANTS: Readonly<Record<string, { readonly arch: string; readonly flags: readonly string[] }>> = {
  avx2: { arch: "x86_64", flags: AVX2_FLAGS },
  avxvnni: { arch: "x86_64", flags: AVX2_FLAGS },
  avx512: { arch: "x86_64", flags: AVX512_FLAGS },
  avx512vnni: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni"] },
  avx512fp16: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni"] },
  avx512bf16: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni", "-mavx512bf16"] },
};

/** What to build and with what. */
export interface BuildOptions {
  /** The compiler's command; default `$CC`, then the first of `cc`, `gcc`, `clang` that runs. */
  readonly compiler?: string;
  /** Value of `-fsanitize=`, such as `address,undefined` or `thread`. */
  readonly sanitize?: string;
  /** A cross compiler's prefix, such as `aarch64-linux-gnu`: `<target>-gcc` is used unless `compiler` says else. */
  readonly target?: string;
  /** For other machines than this: needs no glibc newer than 2.28, and the same sources give the same bytes. */
  readonly release?: boolean;
  /** Compiles even if nothing changed. */
  readonly force?: boolean;
  /** Builds into a folder of its own, so that what is made for a test never passes for the library. */
  readonly label?: string;
  /** Where libxrt's packages are unpacked or installed: has `include/xrt`, or `usr/include/xrt`. Default `/usr`, `/opt/xilinx/xrt`. */
  readonly xrt?: string;
}

/** A library or program, and whether it had to be made. */
export interface Built {
  /** Absolute path. */
  readonly path: string;
  /** False if what was there is still right. */
  readonly compiled: boolean;
}

/** Why nothing was built. */
export class BuildError extends Error {
  /** `no-compiler` where none was found, `compile` where one refused the sources, `not-here` where a library is not for this machine, or what it needs is not on it. */
  readonly reason: "no-compiler" | "compile" | "not-here";
  /** The compiler's text. */
  readonly output: string;

  /** One line as the message; the others are properties. */
  constructor(message: string, reason: "no-compiler" | "compile" | "not-here", output = "") {
    super(message);
    this.name = "BuildError";
    this.reason = reason;
    this.output = output;
  }
}

/** Where a compiler's code runs. */
export interface Machine {
  /** As in `Deno.build.os`. */
  readonly os: string;
  /** As in `Deno.build.arch`. */
  readonly arch: string;
}

interface Toolchain {
  readonly command: string;
  readonly version: string;
  readonly machine: Machine;
}

/** The folder what is built for a machine lies in; sanitizers have their own, so that they never pass for the library. */
export function buildFolder(
  machine: Machine = Deno.build,
  { sanitize, release, label }: Pick<BuildOptions, "sanitize" | "release" | "label"> = {},
): string {
  const own = label ?? sanitize?.replaceAll(",", "-") ?? (release ? "release" : undefined);
  const suffix = own === undefined ? "" : `-${own}`;
  return join(NATIVE, "build", `${machine.os}-${machine.arch}${suffix}`);
}

/** The file name of a library (default the CPU library) on an operating system. */
export function libraryName(os: string, library = "sotto_cpu"): string {
  if (os === "windows") return `${library}.dll`;
  return os === "darwin" ? `lib${library}.dylib` : `lib${library}.so`;
}

/** What libraries beside the CPU library take from its folder. */
const SHARED_SOURCES: readonly string[] = ["status", "threads", "handles", "memory", "cpu_features"].map((
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
    ...(xrt.library.startsWith("/usr/lib") ? [] : [`-Wl,-rpath,${xrt.library}`]),
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

async function build(
  toolchain: Toolchain,
  options: BuildOptions,
  name: string,
  librarySources: readonly string[],
  extraSources: readonly string[],
  linkFlags: readonly string[],
  cxx?: { readonly command: string; readonly flags: readonly string[] },
): Promise<Built> {
  const { machine } = toolchain;
  const folder = buildFolder(machine, options);
  const path = join(folder, name);
  const sanitizer = options.sanitize === undefined
    ? []
    : [`-fsanitize=${options.sanitize}`, "-g", "-fno-omit-frame-pointer"];
  const isRelease = options.release === true && machine.os === "linux";
  const release = isRelease ? ["-include", join(NATIVE, "release/glibc_2_28.h")] : [];
  const flagged = [
    ...librarySources.map((file) => ({ file, own: variantFlags(file, machine.arch) })),
    // Quick to compile matters more here than quick to run, and a test is the plainer for it.
    ...extraSources.map((file) => ({ file, own: ["-O1"] })),
  ];
  const sources = flagged.filter(({ own }) => own !== null)
    .map(({ file, own }) => ({
      file,
      flags: [...(file.endsWith(".cc") ? cxx!.flags : BASE_FLAGS), ...release, ...sanitizer, ...own!],
    }));

  const stamp = await hashOf(toolchain, sources, linkFlags);
  if (
    !options.force && await readIfThere(`${path}.stamp`) === stamp && await readIfThere(path, true) !== null
  ) {
    return { path, compiled: false };
  }

  // Two builds at once must not share files under construction.
  const objects = join(folder, `objects-${name}-${Deno.pid}`);
  await Deno.mkdir(objects, { recursive: true });
  try {
    const jobs = sources.map(({ file, flags }) => {
      const object = join(objects, `${file.replaceAll(/[\\/]/g, "_")}.o`);
      return {
        object,
        command: file.endsWith(".cc") ? cxx!.command : toolchain.command,
        args: [...flags, "-I", join(NATIVE, "include"), "-c", join(NATIVE, file), "-o", object],
      };
    });
    await inParallel(jobs, navigator.hardwareConcurrency, ({ command, args }) => compile(command, args));
    const unfinished = `${path}.${Deno.pid}`;
    await compile(cxx?.command ?? toolchain.command, [
      ...sanitizer,
      ...jobs.map(({ object }) => object),
      ...linkFlags,
      // Without names and without an id: both may tell where it was built.
      ...(isRelease ? ["-Wl,-s", "-Wl,--build-id=none"] : []),
      "-lm",
      "-pthread",
      "-o",
      unfinished,
    ]);
    await Deno.rename(unfinished, path);
    await Deno.writeTextFile(`${path}.stamp`, stamp);
  } finally {
    await Deno.remove(objects, { recursive: true });
  }
  return { path, compiled: true };
}

function sharedLibraryFlags(os: string, library: string): string[] {
  if (os === "darwin") return ["-dynamiclib", "-install_name", `@rpath/${libraryName(os, library)}`];
  if (os === "windows") return ["-shared", "-static"];
  // now: a missing symbol fails the opening instead of killing the process at a first call.
  // nodelete: closing during a call, or ending a worker, cannot take away code that still runs.
  return ["-shared", "-Wl,-z,now", "-Wl,-z,nodelete", "-Wl,--no-undefined"];
}

/** Flags of a file's variant; none for portable files, null if the architecture does not have the variant. */
function variantFlags(file: string, arch: string): readonly string[] | null {
  const variant = VARIANTS[file.split(/[\\/]/)[1]];
  if (variant === undefined) return [];
  return variant.arch === arch ? variant.flags : null;
}

/** C files below a folder, relative to `native/`, sorted. */
async function cFiles(folder: string, endings: readonly string[] = [".c"]): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(NATIVE, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await cFiles(path, endings));
    else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
  }
  return found.sort();
}

/** A hash of everything that decides what comes out: sources, headers, flags, compiler. */
async function hashOf(
  toolchain: Toolchain,
  sources: readonly { readonly file: string; readonly flags: readonly string[] }[],
  linkFlags: readonly string[],
): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([toolchain.command, toolchain.version, toolchain.machine, sources, linkFlags]));
  const folders = new Set(["cpu", "include", "release", ...sources.map(({ file }) => file.split("/")[0])]);
  const headers = (await Promise.all([...folders].map((folder) => cFiles(folder, [".h"])))).flat();
  for (const file of [...sources.map(({ file }) => file), ...headers]) {
    hash.update(`\n${file}\n`);
    hash.update(await Deno.readFile(join(NATIVE, file)));
  }
  return hash.digest("hex");
}

async function readIfThere(path: string, onlyExistence = false): Promise<string | null> {
  try {
    if (onlyExistence) return (await Deno.stat(path)).isFile ? "" : null;
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
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

async function findToolchain(options: BuildOptions): Promise<Toolchain> {
  const wanted = options.compiler ??
    (options.target === undefined ? Deno.env.get("CC") : `${options.target}-gcc`);
  const candidates = wanted === undefined || wanted === "" ? ["cc", "gcc", "clang"] : [wanted];
  for (const command of candidates) {
    const version = await textOf(command, ["--version"]);
    const triple = await textOf(command, ["-dumpmachine"]);
    if (version !== null && triple !== null) {
      return { command, version: version.split("\n")[0], machine: machineOf(triple.trim()) };
    }
  }
  throw new BuildError(`No C compiler was found: tried ${candidates.join(", ")}`, "no-compiler");
}

/** The machine a compiler compiles for, from a triple such as `aarch64-linux-gnu` or `arm64-apple-darwin23`. */
function machineOf(triple: string): Machine {
  const arch = triple.split("-")[0].replace("arm64", "aarch64").replace("amd64", "x86_64");
  const os = triple.includes("darwin") ? "darwin" : /mingw|windows/.test(triple) ? "windows" : "linux";
  return { os, arch };
}

/** What a command prints, or null if it cannot be run. */
async function textOf(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}

async function compile(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  })
    .output();
  if (success) return;
  const source = args[args.indexOf("-c") + 1];
  const what = args.includes("-c") ? `compile ${relative(dirname(NATIVE), source)}` : "link";
  throw new BuildError(`${command} could not ${what}`, "compile", new TextDecoder().decode(stderr));
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      optional: { type: "boolean" },
      force: { type: "boolean" },
      compiler: { type: "string" },
      sanitize: { type: "string" },
      target: { type: "string" },
      xrt: { type: "string" },
    },
  });
  try {
    const started = performance.now();
    for (const buildOne of [buildLibrary, buildEmulatedNpu, buildXrtShim]) {
      const built = await buildOne(values).catch((error) => {
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

if (import.meta.main) Deno.exit(await main(Deno.args));
