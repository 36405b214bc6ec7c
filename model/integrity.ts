/**
 * Whether a file is the one that was published.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { SottoError } from "../errors.ts";
import { fileError } from "./file_error.ts";

/** What is known of a published file's content. */
export type Digest =
  | { readonly kind: "sha256"; readonly hex: string }
  /** The SHA-1 that git gives a file (over `blob <length>\0` and the content), which the hub sends for small files. */
  | { readonly kind: "git-sha1"; readonly hex: string; readonly length: number };

const CHUNK_BYTES = 1 << 20;

/** A hash to feed the content to. */
export function startHash(digest: Digest): Hash {
  return digest.kind === "sha256"
    ? createHash("sha256")
    : createHash("sha1").update(`blob ${digest.length}\0`);
}

/**
 * Feeds an open file, from its beginning to its end, to a hash (about 1.4 GB/s).
 *
 * @throws {SottoError} E_ABORTED if `signal` aborts.
 */
export async function hashOpenFile(file: Deno.FsFile, hash: Hash, signal?: AbortSignal): Promise<void> {
  await file.seek(0, Deno.SeekMode.Start);
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let count = await file.read(chunk); count !== null; count = await file.read(chunk)) {
    if (signal?.aborted) throw new SottoError("E_ABORTED", "Stopped while checking a file");
    hash.update(chunk.subarray(0, count));
  }
}

/** Whether the file at a path has that digest. */
export async function hasDigest(path: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true });
    const hash = startHash(digest);
    await hashOpenFile(file, hash, signal);
    return hash.digest("hex") === digest.hex;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/**
 * Whether nobody but the owner can change a file or put another in its place, as far as its mode bits tell; false where
 * they may not be looked at.
 */
export async function onlyOwnerWrites(path: string, folder: string): Promise<boolean> {
  try {
    const modes = [(await Deno.stat(path)).mode, (await Deno.stat(folder)).mode];
    return modes.every((mode) => mode === null || (mode & 0o022) === 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw fileError(error, "read", path);
  }
}
