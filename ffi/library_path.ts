/**
 * Where a native library is looked for, in this order:
 *
 * 1. the path the caller gave;
 * 2. the variable `SOTTO_LIBRARY` (of the NPU's libraries: `SOTTO_NPU_LIBRARY`), where reading it is permitted;
 * 3. the build folder of the checkout that this module lies in.
 *
 * The first two are orders: if one is given, nothing else is tried.
 *
 * @module
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { namedVariable } from "./named_variable.ts";

/** A place to look. */
export interface LibraryCandidate {
  /** Absolute path. */
  readonly path: string;
  /** Who named it, for messages. */
  readonly source: "library option" | "SOTTO_LIBRARY" | "SOTTO_NPU_LIBRARY" | "build folder";
}

/** The variable that names libsotto_cpu's file. */
export const LIBRARY_VARIABLE = "SOTTO_LIBRARY";
/** The variable that names the file of libsotto_xrt or libsotto_npu_emulated. */
export const NPU_LIBRARY_VARIABLE = "SOTTO_NPU_LIBRARY";

/** What a shared library is called on this operating system: `libsotto_cpu.so`. */
export function libraryFileName(name: string): string {
  if (Deno.build.os === "windows") return `${name}.dll`;
  return Deno.build.os === "darwin" ? `lib${name}.dylib` : `lib${name}.so`;
}

/**
 * The places to look for a library, best first; none if this module was imported over the network and nobody
 * named a path.
 *
 * @param name Without prefix and suffix: `sotto_cpu`.
 * @param given The caller's own path, or a `file:` URL.
 */
export function libraryCandidates(name: string, given?: string | URL): LibraryCandidate[] {
  if (given !== undefined) return [{ path: absolute(given), source: "library option" }];
  const source = name === "sotto_cpu" ? LIBRARY_VARIABLE : NPU_LIBRARY_VARIABLE;
  const variable = namedVariable(source);
  if (variable !== undefined) return [{ path: absolute(variable), source }];
  if (!import.meta.url.startsWith("file:")) return [];
  const folder = new URL(`../native/build/${Deno.build.os}-${Deno.build.arch}/`, import.meta.url);
  return [{ path: fileURLToPath(new URL(libraryFileName(name), folder)), source: "build folder" }];
}

function absolute(path: string | URL): string {
  return path instanceof URL || path.startsWith("file:") ? fileURLToPath(path) : resolve(path);
}
