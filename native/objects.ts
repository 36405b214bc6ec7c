/**
 * Object files, each kept under a hash of all that decides what is in it: the library and the test programs around its inner
 * functions share them.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { cFiles, intoPlace, NATIVE, readIfThere } from "./files.ts";

/** A source file, and how it is compiled. */
export interface Source {
  /** Relative to `native/`. */
  readonly file: string;
  /** The compiler. */
  readonly command: string;
  /** All its flags, the path of the interface's headers aside. */
  readonly flags: readonly string[];
}

/** Why nothing was built. */
export class BuildError extends Error {
  /** `no-compiler` where none was found, `compile` where one refused the sources, `not-here` where a library is not for this machine, or what it needs is not on it. */
  readonly reason: "no-compiler" | "compile" | "not-here";
  /** The compiler's text. */
  readonly output: string;

  /** One line as the message; the others are properties. */
  constructor(message: string, reason: "no-compiler" | "compile" | "not-here", output = "") {
    super(message);
    this.name = "BuildError";
    this.reason = reason;
    this.output = output;
  }
}

/** What each source's object is called at this moment; a source or a header that changes gives another name. */
export async function objectNames(sources: readonly Source[], version: unknown): Promise<string[]> {
  const folders = [...new Set(sources.map(({ file }) => file.split("/")[0]))];
  const ofLibrary = await hashOfHeaders([]);
  const ofAll = await hashOfHeaders(folders);
  return await Promise.all(sources.map(async ({ file, command, flags }) => {
    const headers = file.startsWith("cpu/") ? ofLibrary : ofAll;
    const hash = hashOf(command, version, flags, headers).update(await Deno.readFile(join(NATIVE, file)));
    return `${flat(file)}.${hash.digest("hex").slice(0, 24)}.o`;
  }));
}

/**
 * Compiles what is not there yet.
 *
 * @param folder Where objects are kept.
 * @param options.version What else decides over the result: the compiler's version, the machine.
 * @returns Paths of the objects, in the order of the sources.
 * @throws {BuildError} if a compiler refuses a source.
 */
export async function compileObjects(
  folder: string,
  sources: readonly Source[],
  { version, force = false }: { readonly version: unknown; readonly force?: boolean },
): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const names = await objectNames(sources, version);
  const made: string[] = [];
  await inParallel(names, navigator.hardwareConcurrency, async (name, i) => {
    const { file, command, flags } = sources[i];
    const path = join(folder, name);
    if (!force && await readIfThere(path, true) !== null) return;
    await removeOlder(folder, file);
    const args = [...flags, "-I", join(NATIVE, "include"), "-c", join(NATIVE, file), "-o"];
    made.push(path);
    await intoPlace(path, (unfinished) => runCompiler(command, [...args, unfinished]));
  });
  // A file that was edited meanwhile has an object under the name of what it was before.
  const now = await objectNames(sources, version);
  if (now.every((name, i) => name === names[i])) return names.map((name) => join(folder, name));
  for (const path of made) await Deno.remove(path);
  return await compileObjects(folder, sources, { version, force });
}

/** Runs a compiler. */
export async function runCompiler(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  })
    .output();
  if (success) return;
  const source = args[args.indexOf("-c") + 1];
  const what = args.includes("-c") ? `compile ${relative(dirname(NATIVE), source)}` : "link";
  throw new BuildError(`${command} could not ${what}`, "compile", new TextDecoder().decode(stderr));
}

/** A hash begun with these values. */
export function hashOf(...values: unknown[]): Hash {
  return createHash("sha256").update(JSON.stringify(values));
}

/** A hash of the headers that the library's sources may include, and of those in other folders. */
async function hashOfHeaders(others: readonly string[]): Promise<string> {
  const folders = new Set(["cpu", "include", "release", ...others]);
  const hash = createHash("sha256");
  for (const file of (await Promise.all([...folders].map((folder) => cFiles(folder, [".h"])))).flat()) {
    hash.update(`\n${file}\n`);
    hash.update(await Deno.readFile(join(NATIVE, file)));
  }
  return hash.digest("hex");
}

/** A path as part of a file's name. */
function flat(file: string): string {
  return file.replaceAll(/[\\/]/g, "_");
}

/** How long an object of an older source is kept: another build may be about to link it. */
const KEPT_MILLISECONDS = 600_000;

/** Removes objects of earlier states of a source. */
async function removeOlder(objects: string, file: string): Promise<void> {
  const prefix = `${flat(file)}.`;
  for await (const { name } of Deno.readDir(objects)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(objects, name);
    try {
      const { mtime } = await Deno.stat(path);
      if (mtime !== null && Date.now() - mtime.getTime() > KEPT_MILLISECONDS) await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // another build was quicker
    }
  }
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next], next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
