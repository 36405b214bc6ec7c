/**
 * Small files that are whole or absent.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileError } from "./file_error.ts";
import { replaceFile } from "./replace_file.ts";

/**
 * Writes text into a file that is replaced as a whole; its folder is made if it is missing.
 *
 * @throws {SottoError} E_DISK_FULL, E_PERMISSION or E_OUTPUT; the old file is as it was then.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, text);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}
