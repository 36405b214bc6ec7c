/**
 * Libraries in the cache, which are opened only if they are what was put there.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { SottoError } from "../errors.ts";

/** The file that holds a library's SHA-256 lies beside it under this ending. */
export const DIGEST_SUFFIX = ".sha256";

/** SHA-256 in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Passes if a library is what was installed.
 *
 * @throws {SottoError} E_INTEGRITY if it is not, or nothing says what it should be.
 */
export function requireDigest(path: string): void {
  const refuse = (reason: string, cause?: unknown) =>
    new SottoError("E_INTEGRITY", `Cannot open ${path}: ${reason}`, {
      hint: "Run: deno task install",
      cause,
    });
  let wanted: string;
  try {
    wanted = Deno.readTextFileSync(path + DIGEST_SUFFIX).trim();
  } catch (error) {
    throw refuse(`its SHA-256 should lie in ${path}${DIGEST_SUFFIX}`, error);
  }
  const found = sha256(Deno.readFileSync(path));
  if (found !== wanted) throw refuse(`its SHA-256 must be ${wanted}, is ${found}`);
}
