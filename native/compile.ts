/**
 * Compiles C files (and the few C++ ones) into a library or a program, with whatever compiler there is.
 *
 * What is made lies in `native/build/<os>-<arch>/`, beside the hash of all it was made of; while the hash is the same nothing is
 * compiled. It is written under another name and renamed, so that no one opens half a library.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { dirname, join, relative } from "node:path";

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
      flags: [...(file.endsWith(".cc") ? cxx!.flags : BASE_FLAGS), ...release, ...sanitizer, ...own!],
    }));

  const headers = await hashOfHeaders(sources.map(({ file }) => file));
  const compiled = await Promise.all(sources.map(async ({ file, flags }) => {
    const isCxx = file.endsWith(".cc");
    const command = isCxx ? cxx!.command : toolchain.command;
    const text = await Deno.readFile(join(NATIVE, file));
    const hash = hashOf(command, toolchain.version, toolchain.machine, flags, headers).update(text);
    return {
      file,
      command,
      flags,
      object: `${file.replaceAll(/[\\/]/g, "_")}.${hash.digest("hex").slice(0, 24)}.o`,
    };
  }));
  const stamp = hashOf(compiled.map(({ object }) => object), linkFlags).digest("hex");
  if (
    !options.force && await readIfThere(`${path}.stamp`) === stamp && await readIfThere(path, true) !== null
  ) {
    return { path, compiled: false };
  }

  // An object is shared by all that is linked from it: the library, and the test programs around its inner functions.
  const objects = join(folder, "objects");
  await Deno.mkdir(objects, { recursive: true });
  await inParallel(compiled, navigator.hardwareConcurrency, async ({ file, command, flags, object }) => {
    const there = join(objects, object);
    if (!options.force && await readIfThere(there, true) !== null) return;
    await removeOlder(objects, file);
    await intoPlace(
      there,
      (unfinished) =>
        compile(command, [
          ...flags,
          "-I",
          join(NATIVE, "include"),
          "-c",
          join(NATIVE, file),
          "-o",
          unfinished,
        ]),
    );
  });
  await intoPlace(path, (unfinished) =>
    compile(cxx?.command ?? toolchain.command, [
      ...sanitizer,
      ...compiled.map(({ object }) => join(objects, object)),
      ...linkFlags,
      // Without names and without an id: both may tell where it was built.
      ...(isRelease ? ["-Wl,-s", "-Wl,--build-id=none"] : []),
      "-lm",
      "-pthread",
      "-o",
      unfinished,
    ]));
  await Deno.writeTextFile(`${path}.stamp`, stamp);
  return { path, compiled: true };
}

/** Makes a file under a name of this process, then renames it: two builds at once must not share files under construction. */
async function intoPlace(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.${Deno.pid}`;
  await make(unfinished);
  await Deno.rename(unfinished, path);
}

/** How long an object of an older source is kept: another build may be about to link it. */
const KEPT_MILLISECONDS = 600_000;

/** Removes objects of earlier states of a source. */
async function removeOlder(objects: string, file: string): Promise<void> {
  const prefix = `${file.replaceAll(/[\\/]/g, "_")}.`;
  for await (const { name } of Deno.readDir(objects)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(objects, name);
    try {
      const { mtime } = await Deno.stat(path);
      if (mtime !== null && Date.now() - mtime.getTime() > KEPT_MILLISECONDS) await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // another build was quicker
    }
  }
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

/** C files below a folder, relative to `native/`, sorted. */
export async function cFiles(folder: string, endings: readonly string[] = [".c"]): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(NATIVE, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await cFiles(path, endings));
    else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
  }
  return found.sort();
}

/** A hash begun with these values. */
function hashOf(...values: unknown[]): Hash {
  return createHash("sha256").update(JSON.stringify(values));
}

/** A hash of all headers that the sources may include. */
async function hashOfHeaders(sources: readonly string[]): Promise<string> {
  const folders = new Set(["cpu", "include", "release", ...sources.map((file) => file.split("/")[0])]);
  const hash = createHash("sha256");
  for (const file of (await Promise.all([...folders].map((folder) => cFiles(folder, [".h"])))).flat()) {
    hash.update(`\n${file}\n`);
    hash.update(await Deno.readFile(join(NATIVE, file)));
  }
  return hash.digest("hex");
}

/** A file's text (or "", where only its existence is asked for), or null where there is no file. */
export async function readIfThere(path: string, onlyExistence = false): Promise<string | null> {
  try {
    if (onlyExistence) return (await Deno.stat(path)).isFile ? "" : null;
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
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
