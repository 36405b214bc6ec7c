/**
 * Looking into folders: what is there, small text files, and names that must not lead out.
 *
 * @module
 */

import { basename, dirname, join, sep } from "node:path";
import { SottoError } from "../errors.ts";
import { openByteSource } from "./byte_source.ts";
import { fileError } from "./file_error.ts";

/** Largest text file read, in bytes; the longest merges.txt has 0.5 MB. */
const MAX_TEXT_BYTES = 16 * 2 ** 20;

/**
 * What lies at a path (links followed), or null if nothing does.
 *
 * @throws {SottoError} E_PERMISSION or E_INPUT if that cannot be told.
 */
export async function kindOf(path: string): Promise<"file" | "folder" | null> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    return isFile ? "file" : isDirectory ? "folder" : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw fileError(error, "read", path);
  }
}

/** Whether a file is there. */
export async function exists(path: string): Promise<boolean> {
  return await kindOf(path) === "file";
}

/**
 * A small UTF-8 file.
 *
 * @throws {SottoError} E_MODEL_FORMAT if it is not UTF-8 or over 16 MiB.
 */
export async function readText(path: string): Promise<string> {
  using source = await openByteSource({ path });
  if (source.size > MAX_TEXT_BYTES) {
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read ${path}: at most ${MAX_TEXT_BYTES} bytes of text, got ${source.size}`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await source.read(0, source.size));
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throw new SottoError("E_MODEL_FORMAT", `Cannot read ${path}: it is not UTF-8`, { cause: error });
  }
}

/**
 * Refuses a name from a checkpoint that is not of a plain file.
 *
 * @throws {SottoError} E_PATH
 */
export function requirePlainName(name: string, folder: string): void {
  if (name === "" || name === "." || name === ".." || /[/\\:\0]/.test(name)) throw escape(name, folder);
}

/**
 * The path of a file that a checkpoint names, which must lie in its folder.
 *
 * The name must be plain, and if it is a link it must end in the folder. The one exception is the Hugging Face
 * cache, whose `snapshots/<revision>` holds links into the `blobs` beside it.
 *
 * @throws {SottoError} E_PATH if it leads out of the folder; E_MODEL_NOT_FOUND if there is no such file.
 */
export async function containedFile(folder: string, name: string): Promise<string> {
  requirePlainName(name, folder);
  const path = join(folder, name);
  let real: string, root: string;
  try {
    root = await Deno.realPath(folder);
    real = await Deno.realPath(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  const roots = [root];
  if (basename(dirname(root)) === "snapshots") roots.push(join(dirname(dirname(root)), "blobs"));
  if (!roots.some((allowed) => real.startsWith(allowed + sep))) throw escape(name, folder);
  return path;
}

function escape(name: string, folder: string): SottoError {
  return new SottoError(
    "E_PATH",
    `Cannot follow ${JSON.stringify(name.slice(0, 200))}: it escapes the model's folder ${folder}`,
    {
      hint: "A checkpoint may only name plain files beside it.",
    },
  );
}
