/**
 * Puts a copy of the built CPU library into sotto's cache, where every import of sotto finds it, by URL too:
 * `deno run -A native/install.ts`. Its SHA-256 lies beside it and is checked before each opening.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { DIGEST_SUFFIX, sha256 } from "../ffi/library_digest.ts";
import { libraryCache, libraryFileName } from "../ffi/library_path.ts";
import { printError } from "../cli/console.ts";
import { taskArguments } from "../cli/task_arguments.ts";
import { BuildError, buildLibrary } from "./build.ts";

/** Copies a library under its digest; the path of the copy. An old copy stays whole until the new one is. */
export async function installLibrary(source: string, folder: string): Promise<string> {
  const bytes = await Deno.readFile(source);
  const path = join(folder, libraryFileName("sotto_cpu"));
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${Deno.pid}`;
  await Deno.writeFile(unfinished, bytes, { mode: 0o600 });
  await Deno.writeTextFile(path + DIGEST_SUFFIX, `${sha256(bytes)}\n`, { mode: 0o600 });
  await Deno.rename(unfinished, path);
  return path;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    taskArguments(args, {}, "There is nothing to choose.");
    const folder = libraryCache();
    if (folder === null) {
      console.error("Cannot install: neither SOTTO_CACHE, XDG_CACHE_HOME nor HOME says where the cache is");
      return 1;
    }
    const { path } = await buildLibrary();
    console.log(`installed ${await installLibrary(path, folder)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) return printError(error, false);
    console.error(error.output + error.message);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
