/** Files of the native sources, and of what is made from them. */

import { join } from "node:path";

/** The folder of the native sources, absolute. */
export const NATIVE: string = import.meta.dirname!;

/** C files below a folder, relative to `native/`, sorted. */
export async function cFiles(folder: string, endings: readonly string[] = [".c"]): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(NATIVE, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await cFiles(path, endings));
    else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
  }
  return found.sort();
}

/** A file's text (or "", where only its existence is asked for), or null where there is no file. */
export async function readIfThere(path: string, onlyExistence = false): Promise<string | null> {
  try {
    if (onlyExistence) return (await Deno.stat(path)).isFile ? "" : null;
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Makes a file under a name of its own, then renames it: two builds at once must not share files under construction. */
export async function intoPlace(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  await make(unfinished);
  await Deno.rename(unfinished, path);
}
