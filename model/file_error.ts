/**
 * What the file system refuses, in sotto's words.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** What was tried on a file; `read` and `write` are also the names of Deno's permissions for it. */
export type FileAction = "read" | "write";

/**
 * The {@linkcode SottoError} for what a file operation threw. An error that is already one passes through.
 *
 * @param path The file or folder that was touched, as the user spelled it.
 * @throws A TypeError or ReferenceError as it is: that is a fault of the program, not of the file.
 */
export function fileError(error: unknown, action: FileAction, path: string): SottoError {
  if (error instanceof SottoError) return error;
  if (error instanceof TypeError || error instanceof ReferenceError) throw error;
  const doing = `Cannot ${action} ${path}`;
  if (error instanceof Deno.errors.NotCapable) {
    // Deno's text names the permission and the path exactly: writing may want to read as well.
    const [, permission, place] = /Requires (\w+) access to "(.*?)"/.exec(error.message) ??
      [null, action, path];
    return new SottoError("E_PERMISSION", `${doing}: Deno was not allowed to`, {
      hint: `Run again with --allow-${permission}=${place}`,
      cause: error,
    });
  }
  if (error instanceof Deno.errors.NotFound) {
    return new SottoError("E_MODEL_NOT_FOUND", `${doing}: there is no such file`, { cause: error });
  }
  if (error instanceof RangeError) { // what V8 throws when it cannot allocate an array
    return new SottoError("E_MEMORY", `${doing}: ${error.message}`, {
      hint: "Close other programs, or use a smaller model.",
      cause: error,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    return new SottoError("E_DISK_FULL", `${doing}: no space is left on the disk`, {
      hint: "Free some space, or choose another folder with SOTTO_CACHE.",
      cause: error,
    });
  }
  return new SottoError(action === "write" ? "E_OUTPUT" : "E_INPUT", `${doing}: ${text}`, { cause: error });
}

/** Whether it is ENOSPC or EDQUOT, which Deno reports as plain errors. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT" ||
    (error instanceof Error && /os error (28|122)\)/.test(error.message));
}
