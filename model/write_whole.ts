/**
 * Small files that are whole or absent.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileError } from "./file_error.ts";

/**
 * Writes text through a temporary file beside the target, synced and renamed; the folder is made if it is missing.
 *
 * @throws {SottoError} E_DISK_FULL, E_PERMISSION or E_OUTPUT; the temporary file is removed then.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.partial`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      const bytes = new TextEncoder().encode(text);
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // the first error is the one to report
    throw fileError(error, "write", path);
  }
}
