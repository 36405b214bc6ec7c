/**
 * Asks what Deno permits before trying it, so that a refusal names the flag that is missing.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** Whether a file may be read; asks nobody. */
export function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/**
 * Passes if this library may be opened. Deno compares the path as it is spelled; symbolic links are not resolved.
 *
 * @param path Absolute path of the library.
 * @throws {SottoError} E_PERMISSION, its hint the flag to add.
 */
export function requireForeignFunctions(path: string): void {
  if (Deno.permissions.querySync({ name: "ffi", path }).state === "granted") return;
  throw new SottoError(
    "E_PERMISSION",
    `Cannot open ${path}: Deno was not given permission to call native code in it`,
    {
      hint: `Run with --allow-ffi=${path}`,
    },
  );
}
