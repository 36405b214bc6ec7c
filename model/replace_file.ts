/**
 * Writing so that whoever looks finds the old file or the new one, never a part.
 *
 * @module
 */

import { dirname, join } from "node:path";

/**
 * Writes text into a temporary file of the same folder, flushes it to the disk and renames it.
 *
 * @throws What the file system throws; the temporary file is removed then, and the old file is as it was.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = temporaryName(dirname(path));
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      const bytes = new TextEncoder().encode(text);
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

/** Not made of the file's name, which may be as long as the file system allows already. */
export function temporaryName(folder: string): string {
  return join(folder, `.sotto-${crypto.randomUUID()}.tmp`);
}
