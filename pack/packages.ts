/**
 * The npm packages: `sotto`, and one for each platform that holds its native library alone.
 *
 * @module
 */

import { join } from "node:path";
import { buildLibrary } from "../native/build.ts";
import { libraryFileName, platformPackage } from "../ffi/library_path.ts";
import { isNewer, neededGlibc, OLDEST_GLIBC } from "./glibc.ts";
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

/**
 * Makes a platform's package, compiling its library if it is missing or stale.
 *
 * @throws {BuildError} without a compiler for it; {Error} if the library would not load with glibc 2.28.
 */
export async function platformPackageOf({ arch, target }: Platform): Promise<Package> {
  const { path } = await buildLibrary({ release: true, target });
  const glibc = await neededGlibc(path);
  if (isNewer(glibc, OLDEST_GLIBC)) {
    throw new Error(`${path} needs glibc ${glibc}: ${OLDEST_GLIBC} is promised`);
  }
  const library = libraryFileName("sotto_cpu");
  const manifest = {
    name: platformPackage("linux", arch),
    version: await packageVersion(),
    description: `libsotto_cpu for Linux on ${arch}, glibc ${OLDEST_GLIBC} or newer`,
    license: LICENSE,
    os: ["linux"],
    cpu: [arch === "x86_64" ? "x64" : "arm64"],
    libc: ["glibc"],
    main: library,
    files: [library],
  };
  return await archive(manifest, new Map([[library, await Deno.readFile(path)]]));
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
