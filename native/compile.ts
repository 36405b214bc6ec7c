/**
 * Compiles C files (and the few C++ ones) into a library or a program, with whatever compiler there is.
 *
 * What is made lies in `native/build/<os>-<arch>/`, beside the hash of all it was made of; while the hash is the same nothing is
 * compiled. It is written under another name and renamed, so that no one opens half a library.
 *
 * @module
 */

import { basename, join } from "node:path";
import { intoPlace, NATIVE, readIfThere } from "./files.ts";
import { BuildError, compileObjects, hashOf, objectNames, runCompiler } from "./objects.ts";

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

/** What the files of a variant's folder may use beyond the baseline; the CPU is asked before they are called. */
const VARIANTS: Readonly<Record<string, { readonly arch: string; readonly flags: readonly string[] }>> = {
  avx2: { arch: "x86_64", flags: AVX2_FLAGS },
  avxvnni: { arch: "x86_64", flags: AVX2_FLAGS },
  avx512: { arch: "x86_64", flags: AVX512_FLAGS },
  avx512vnni: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni"] },
  avx512bf16: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni", "-mavx512bf16"] },
  avx512fp16: { arch: "x86_64", flags: [...AVX512_FLAGS, "-mavx512vnni"] },
  neon: { arch: "aarch64", flags: [] },
  neondot: { arch: "aarch64", flags: ["-march=armv8.2-a+dotprod"] },
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
  /** Told before a library or program that is missing or stale is compiled. */
  readonly onCompile?: (path: string) => void;
}

/** A library or program, and whether it had to be made. */
export interface Built {
  /** Absolute path. */
  readonly path: string;
  /** False if what was there is still right. */
  readonly compiled: boolean;
}

/** Where a compiler's code runs. */
export interface Machine {
  /** As in `Deno.build.os`. */
  readonly os: string;
  /** As in `Deno.build.arch`. */
  readonly arch: string;
}

/** A C compiler that runs. */
export interface Toolchain {
  /** How it is called. */
  readonly command: string;
  /** What it says of itself. */
  readonly version: string;
  /** What it compiles for. */
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

/**
 * Compiles and links, if anything that decides what comes out has changed.
 *
 * @param name The file's name in the build folder.
 * @param librarySources Files relative to `native/`, each with the flags of its variant.
 * @param extraSources The same for a program's own files, which are compiled quickly.
 * @param cxx The compiler and flags of C++ files, where there are some.
 */
export async function build(
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
    : [`-fsanitize=${options.sanitize}`, "-O1", "-g", "-fno-omit-frame-pointer"];
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
      command: file.endsWith(".cc") ? cxx!.command : toolchain.command,
      flags: [...(file.endsWith(".cc") ? cxx!.flags : BASE_FLAGS), ...release, ...sanitizer, ...own!],
    }));

  const version = [toolchain.version, toolchain.machine];
  const stampOf = (names: readonly string[]) => hashOf(names, linkFlags).digest("hex");
  const stamp = stampOf(await objectNames(sources, version));
  if (
    !options.force && await readIfThere(`${path}.stamp`) === stamp && await readIfThere(path, true) !== null
  ) {
    return { path, compiled: false };
  }

  options.onCompile?.(path);
  const objects = await compileObjects(join(folder, "objects"), sources, { version, force: options.force });
  await intoPlace(path, (unfinished) =>
    runCompiler(cxx?.command ?? toolchain.command, [
      ...sanitizer,
      ...objects,
      ...linkFlags,
      // Without names and without an id: both may tell where it was built.
      ...(isRelease ? ["-Wl,-s", "-Wl,--build-id=none"] : []),
      "-lm",
      "-pthread",
      "-o",
      unfinished,
    ]));
  await Deno.writeTextFile(`${path}.stamp`, stampOf(objects.map((object) => basename(object))));
  return { path, compiled: true };
}

/** How a shared library of this name is linked. */
export function sharedLibraryFlags(os: string, library: string): string[] {
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

/** The compiler that the options, or `$CC`, name; else the first of the usual ones that runs. */
export async function findToolchain(options: BuildOptions): Promise<Toolchain> {
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
export async function textOf(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
