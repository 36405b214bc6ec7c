/**
 * Where a native library is looked for, in this order:
 *
 * 1. the path the caller gave;
 * 2. the variable `SOTTO_LIBRARY` (of the NPU's libraries: `SOTTO_NPU_LIBRARY`), where reading it is permitted;
 * 3. the build folder of the checkout that this module lies in;
 * 4. the npm package of this platform (`sotto-linux-x64`), installed where this module or the main one finds it;
 * 5. the copy in sotto's cache that `deno task install` made, its SHA-256 beside it.
 *
 * The first two are orders: if one is given, nothing else is tried. Nothing is ever downloaded.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolders } from "../model/cache_folders.ts";
import { namedVariable } from "./named_variable.ts";

/** Who names a place. */
export type LibrarySource =
  | "library option"
  | "SOTTO_LIBRARY"
  | "SOTTO_NPU_LIBRARY"
  | "build folder"
  | "npm package"
  | "cache";

/** A place to look. */
export interface LibraryCandidate {
  /** Absolute path. */
  readonly path: string;
  /** Who named it, for messages. */
  readonly source: LibrarySource;
}

/** A step of the search: a place, or why there is none. */
export interface LibraryStep {
  /** Which step. */
  readonly source: LibrarySource;
  /** Absolute path of the place; null where there is none. */
  readonly path: string | null;
  /** Why there is none; empty where there is one. */
  readonly reason: string;
}

/** The variable that names the CPU library's file. */
export const LIBRARY_VARIABLE = "SOTTO_LIBRARY";
/** The variable that names the file of libsotto_xrt or libsotto_npu_emulated. */
export const NPU_LIBRARY_VARIABLE = "SOTTO_NPU_LIBRARY";

/** What a shared library is called on this operating system: `libsotto_cpu.so`. */
export function libraryFileName(name: string): string {
  if (Deno.build.os === "windows") return `${name}.dll`;
  return Deno.build.os === "darwin" ? `lib${name}.dylib` : `lib${name}.so`;
}

/**
 * The places to look for a library, best first; none if there is none to try and nobody named a path.
 *
 * @param name Without prefix and suffix: `sotto_cpu`.
 * @param given The caller's own path, or a `file:` URL.
 */
export function libraryCandidates(name: string, given?: string | URL): LibraryCandidate[] {
  return librarySteps(name, given).filter((step): step is LibraryCandidate & LibraryStep =>
    step.path !== null
  );
}

/** Every step of the search as it goes here and now, with these permissions. Parameters as above. */
export function librarySteps(name: string, given?: string | URL): LibraryStep[] {
  const named = name === "sotto_cpu" ? LIBRARY_VARIABLE : NPU_LIBRARY_VARIABLE;
  const variable = namedVariable(named);
  const order = given ?? variable;
  const notAsked = (source: LibrarySource): LibraryStep => none(source, "not looked at: a path was given");
  return [
    given === undefined ? none("library option", "not given") : at("library option", absolute(given)),
    given !== undefined
      ? notAsked(named)
      : variable === undefined
      ? none(named, `not set, or not permitted: --allow-env=${named}`)
      : at(named, absolute(variable)),
    order === undefined ? inBuildFolder(name) : notAsked("build folder"),
    order === undefined ? inPackage(name) : notAsked("npm package"),
    order === undefined ? inCache(name) : notAsked("cache"),
  ];
}

/** What the npm package of a platform is called: `sotto-linux-x64`, in npm's names of systems and processors. */
export function platformPackage(os: string = Deno.build.os, arch: string = Deno.build.arch): string {
  const system = os === "windows" ? "win32" : os;
  return `sotto-${system}-${arch === "x86_64" ? "x64" : arch === "aarch64" ? "arm64" : arch}`;
}

/** Where `deno task install` puts libraries; null where the environment does not tell. */
export function libraryCache(): string | null {
  const { sotto } = cacheFolders();
  return sotto && join(sotto, "native", `${Deno.build.os}-${Deno.build.arch}`);
}

function inBuildFolder(name: string): LibraryStep {
  if (!import.meta.url.startsWith("file:")) {
    return none("build folder", "this module was not loaded from a file");
  }
  const folder = new URL(`../native/build/${Deno.build.os}-${Deno.build.arch}/`, import.meta.url);
  return at("build folder", fileURLToPath(new URL(libraryFileName(name), folder)));
}

function inPackage(name: string): LibraryStep {
  const wanted = platformPackage();
  let reason = `${wanted} is not installed`;
  // A worker has no main module.
  const mainModule = Deno.mainModule as string | undefined;
  for (const module of [import.meta.url, mainModule]) {
    if (!module?.startsWith("file:")) continue;
    try {
      return at("npm package", createRequire(module).resolve(`${wanted}/${libraryFileName(name)}`));
    } catch (error) {
      // Looking takes the right to read folders named node_modules; who has not given it has not installed anything.
      if (error instanceof Deno.errors.NotCapable) reason = `${wanted} may not be looked for`;
    }
  }
  return none("npm package", reason);
}

function inCache(name: string): LibraryStep {
  const folder = libraryCache();
  if (folder === null) return none("cache", "the cache folder is not known: --allow-env=HOME");
  const path = join(folder, libraryFileName(name));
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") {
    return none("cache", `not permitted: --allow-read=${folder}`);
  }
  return at("cache", path);
}

const at = (source: LibrarySource, path: string): LibraryStep => ({ source, path, reason: "" });
const none = (source: LibrarySource, reason: string): LibraryStep => ({ source, path: null, reason });

function absolute(path: string | URL): string {
  return path instanceof URL || path.startsWith("file:") ? fileURLToPath(path) : resolve(path);
}
