/**
 * Output files: checked before the work starts, written whole.
 *
 * A file is written under a temporary name in its folder, flushed to the disk and renamed, so that an
 * interrupted run leaves the old file or the new one, never a part.
 *
 * @module
 */

import { basename, dirname, extname, join, resolve } from "node:path";
import { SottoError } from "../errors.ts";
import { isDiskFull } from "../model/file_error.ts";
import { replaceFile, temporaryName } from "../model/replace_file.ts";
import { extensionOf, type OutputFormat } from "../decoder/mod.ts";

/** Where one input's outputs go. */
export interface OutputTarget {
  readonly format: OutputFormat;
  readonly path: string;
}

/** The output files of an input: its name without the last extension, in `folder`; `stdin` for `-`. */
export function outputTargets(
  input: string,
  folder: string,
  formats: readonly OutputFormat[],
): OutputTarget[] {
  return formats.map((format) => ({ format, path: join(folder, `${stem(input)}.${extensionOf(format)}`) }));
}

/** Where an input's journal lies while it is being transcribed. */
export function journalPath(input: string, folder: string): string {
  return join(folder, `.${stem(input)}.sotto-journal`);
}

function stem(input: string): string {
  return input === "-" ? "stdin" : basename(input, extname(input));
}

/**
 * Makes the folder if it is missing and proves that files can be written there.
 *
 * @throws {SottoError} E_OUTPUT if not, if a target is a folder or an input, or if two inputs share a target;
 * E_PERMISSION if Deno was not given the right to.
 */
export async function checkOutputs(
  folder: string,
  inputs: readonly string[],
  targets: readonly OutputTarget[],
) {
  const seen = new Set<string>();
  for (const { path } of targets) {
    const full = resolve(path);
    if (seen.has(full)) {
      throw new SottoError("E_OUTPUT", `Cannot write ${path} because two inputs would write it`, {
        hint: "Transcribe files of the same name in separate runs with separate --output_dir.",
      });
    }
    seen.add(full);
  }
  await requirePermissions(folder);
  const inputPaths = new Set(inputs.filter((input) => input !== "-").map((input) => resolve(input)));
  const entries = await Promise.all(Array.from(inputPaths, entryOf));
  for (const { path } of targets) {
    const entry = await entryOf(path);
    if (inputPaths.has(resolve(path)) || (entry !== null && entries.includes(entry))) {
      throw new SottoError("E_OUTPUT", `Cannot write ${path} because it is an input`, OTHER_FOLDER);
    }
  }
  const there = await Deno.stat(folder).catch(() => null);
  if (there !== null && !there.isDirectory) {
    throw new SottoError("E_OUTPUT", `Cannot write into ${folder} because it is not a folder`, OTHER_FOLDER);
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    const probe = temporaryName(folder);
    await Deno.writeFile(probe, new Uint8Array(), { createNew: true });
    await Deno.remove(probe);
  } catch (error) {
    throw outputError(folder, error);
  }
  for (const { path } of targets) {
    const info = await Deno.stat(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return null;
      throw outputError(path, error); // such as a name that is too long
    });
    if (info?.isDirectory) {
      throw new SottoError("E_OUTPUT", `Cannot write ${path} because it is a folder`, OTHER_FOLDER);
    }
  }
}

/**
 * Refuses a folder that may not be read and written: renaming a file takes both.
 *
 * @throws {SottoError} E_PERMISSION with the flags to add.
 */
async function requirePermissions(folder: string): Promise<void> {
  const missing: string[] = [];
  for (const name of ["read", "write"] as const) {
    const { state } = await Deno.permissions.query({ name, path: folder });
    if (state !== "granted") missing.push(`--allow-${name}=${folder}`);
  }
  if (missing.length === 0) return;
  throw new SottoError(
    "E_PERMISSION",
    `Cannot write into ${folder} because Deno was not given the right to`,
    {
      hint: `Run again with ${missing.join(" ")}`,
    },
  );
}

/** What tells files apart however their paths are spelled; null where there is none, or none that may be seen. */
async function entryOf(path: string): Promise<string | null> {
  const info = await Deno.lstat(path).catch(() => null);
  return info?.ino ? `${info.dev}:${info.ino}` : null;
}

/**
 * Writes a file whole.
 *
 * @throws {SottoError} E_OUTPUT, E_DISK_FULL or E_PERMISSION; the old file, if any, is then as it was.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text);
  } catch (error) {
    throw outputError(path, error);
  }
}

const OTHER_FOLDER = { hint: "Choose another --output_dir." };

/** What a failure of the file system means to the user, for a file beside the outputs. */
export function outputError(path: string, cause: unknown): SottoError {
  if (cause instanceof Deno.errors.NotCapable) {
    return new SottoError("E_PERMISSION", `Cannot write ${path} because Deno was not given the right to`, {
      hint: `Run again with --allow-read=${dirname(path)} --allow-write=${dirname(path)}`,
      cause,
    });
  }
  if (isDiskFull(cause)) {
    return new SottoError("E_DISK_FULL", `Cannot write ${path} because the disk is full`, {
      hint: "Free some space; no part of the file was left.",
      cause,
    });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  // Deno ends its messages with the call, such as `: mkdir '/x'`, which may name our temporary file.
  const reason = text.replace(/: \w+ '.*$/, "");
  return new SottoError("E_OUTPUT", `Cannot write ${path}: ${reason}`, { ...OTHER_FOLDER, cause });
}
