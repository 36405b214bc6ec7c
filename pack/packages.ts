/**
 * The npm packages: `sotto`, and one for each platform that holds its native library alone.
 *
 * @module
 */

import { join } from "node:path";
import { BuildError, buildLibrary, buildXrtShim } from "../native/build.ts";
import { libraryFileName, platformPackage } from "../ffi/library_path.ts";
import { isNewer, libraryNeeds, neededGlibc, OLDEST_GLIBC } from "./glibc.ts";
import { ENTRIES, javaScriptFiles, ROOT } from "./javascript.ts";
import { tarGzip } from "./tar.ts";

/** A package, ready to be written. */
export interface Package {
  /** Such as `sotto-linux-x64-0.1.0.tgz`. */
  readonly fileName: string;
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A platform, and the prefix of the compiler for it; none: this machine's. */
export interface Platform {
  /** As in `Deno.build.arch`. */
  readonly arch: "x86_64" | "aarch64";
  /** Such as `aarch64-linux-gnu`. */
  readonly target: string | undefined;
}

/** Linux on both processors; the other processor's library takes a cross compiler. */
export const PLATFORMS: readonly Platform[] = (["x86_64", "aarch64"] as const).map((arch) => ({
  arch,
  target: Deno.build.os === "linux" && Deno.build.arch === arch ? undefined : `${arch}-linux-gnu`,
}));

const LICENSE = "MIT";

/** The version that deno.json names. */
export async function packageVersion(): Promise<string> {
  const text = await Deno.readTextFile(join(ROOT, "deno.json"));
  return text.match(/"version": "([^"]+)"/)![1];
}

/**
 * Makes `sotto`.
 *
 * @param work An empty folder to work in.
 */
export async function sottoPackage(work: string): Promise<Package> {
  const version = await packageVersion();
  const exported = (path: string) => ({
    types: `./${path.replace(/\.ts$/, ".d.ts")}`,
    default: `./${path.replace(/\.ts$/, ".js")}`,
  });
  const manifest = {
    name: "sotto",
    version,
    description:
      "OpenAI Whisper from Deno: transcription on a native CPU library, and its parts on their own",
    license: LICENSE,
    type: "module",
    exports: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, exported(path)])),
    engines: { deno: ">=2.7.6" },
    optionalDependencies: Object.fromEntries(
      PLATFORMS.map(({ arch }) => [platformPackage("linux", arch), version]),
    ),
  };
  return await archive(manifest, new Map(await javaScriptFiles(work)));
}

/** What else goes into a platform's package. */
export interface PlatformPackageOptions {
  /** Where libxrt and its headers are, as `native/build.ts` takes it. */
  readonly xrt?: string;
  /** Told in one line why libsotto_xrt stays out. */
  readonly onSkip?: (reason: string) => void;
}

/**
 * The newest glibc that libsotto_xrt may need: that of Ubuntu 22.04, as libxrt drives no NPU on anything older.
 */
export const XRT_GLIBC = "2.35";

/**
 * Makes a platform's package, compiling its libraries if they are missing or stale. libsotto_xrt is in it where libxrt is.
 *
 * @throws {BuildError} without a compiler for it; {Error} if libsotto_cpu would not load with glibc 2.28.
 */
export async function platformPackageOf(
  { arch, target }: Platform,
  { xrt, onSkip }: PlatformPackageOptions = {},
): Promise<Package> {
  const { path } = await buildLibrary({ release: true, target });
  const glibc = await neededGlibc(path);
  if (isNewer(glibc, OLDEST_GLIBC)) {
    throw new Error(`${path} needs glibc ${glibc}: ${OLDEST_GLIBC} is promised`);
  }
  const library = libraryFileName("sotto_cpu");
  const files = new Map([[library, await Deno.readFile(path)]]);
  // libxrt is for processors with an NPU of AMD's.
  const shim = arch === "x86_64" ? await xrtShim({ target, xrt, onSkip }) : null;
  if (shim !== null) files.set(libraryFileName("sotto_xrt"), await Deno.readFile(shim));
  const manifest = {
    name: platformPackage("linux", arch),
    version: await packageVersion(),
    description: `libsotto_cpu for Linux on ${arch}, glibc ${OLDEST_GLIBC} or newer` +
      (shim === null ? "" : "; libsotto_xrt for NPUs, where libxrt is installed"),
    license: LICENSE,
    os: ["linux"],
    cpu: [arch === "x86_64" ? "x64" : "arm64"],
    libc: ["glibc"],
    main: library,
    files: [...files.keys()],
  };
  return await archive(manifest, files);
}

/** The path of libsotto_xrt, or null where libxrt is not, unless a folder was named. */
async function xrtShim(
  { target, xrt, onSkip }: Pick<Platform, "target"> & PlatformPackageOptions,
): Promise<string | null> {
  try {
    const { path } = await buildXrtShim({ release: true, target, xrt });
    const glibc = (await libraryNeeds(path)).versions.get("GLIBC") ?? "0";
    if (isNewer(glibc, XRT_GLIBC)) throw new Error(`${path} needs glibc ${glibc}: ${XRT_GLIBC} is promised`);
    return path;
  } catch (error) {
    if (!(error instanceof BuildError) || error.reason !== "not-here" || xrt !== undefined) throw error;
    onSkip?.(error.message);
    return null;
  }
}

async function archive(
  manifest: { readonly name: string; readonly version: string },
  files: Map<string, Uint8Array>,
): Promise<Package> {
  files.set("package.json", new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  files.set("LICENSE", await Deno.readFile(join(ROOT, "LICENSE")));
  if (manifest.name === "sotto") files.set("README.md", await Deno.readFile(join(ROOT, "README.md")));
  const entries = [...files].map(([path, bytes]) => [`package/${path}`, bytes] as const);
  return { fileName: `${manifest.name}-${manifest.version}.tgz`, bytes: tarGzip(new Map(entries)) };
}
