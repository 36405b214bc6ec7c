/**
 * What the files of a downloaded snapshot hash to, kept beside them, so that they can be checked again later.
 *
 * @module
 */

import { join } from "node:path";
import { SottoError } from "../errors.ts";
import { exists, requirePlainName } from "./folder.ts";
import { type Digest, hasDigest, onlyOwnerWrites } from "./integrity.ts";
import { isJsonObject, readStrictJson } from "./strict_json.ts";
import { writeWhole } from "./write_whole.ts";

const DIGESTS = ".sotto-digests.json";

/** Notes the digests of a snapshot's files. */
export async function writeDigests(folder: string, digests: ReadonlyMap<string, Digest>): Promise<void> {
  await writeWhole(join(folder, DIGESTS), JSON.stringify(Object.fromEntries(digests), null, 2));
}

/**
 * Checks the files of a snapshot that others than their owner could have changed, or all of them if `always`. A
 * snapshot without noted digests is not sotto's, and passes.
 *
 * @throws {SottoError} E_INTEGRITY if a file changed, which is deleted where that is allowed.
 */
export async function checkSnapshot(
  folder: string,
  { always, signal }: { readonly always: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const path = join(folder, DIGESTS);
  if (!await exists(path)) return;
  const digests = await readStrictJson(path);
  if (!isJsonObject(digests)) throw malformed(path);
  for (const [name, digest] of Object.entries(digests)) {
    requirePlainName(name, folder);
    if (!isDigest(digest)) throw malformed(path);
    const file = join(folder, name);
    if (always || !await onlyOwnerWrites(file, folder)) await requireDigest(file, digest, signal);
  }
}

/**
 * Checks one downloaded file.
 *
 * @throws {SottoError} E_INTEGRITY if it changed; it is deleted where that is allowed.
 */
export async function requireDigest(path: string, digest: Digest, signal?: AbortSignal): Promise<void> {
  if (await hasDigest(path, digest, signal)) return;
  const fate = await Deno.remove(path).then(() => "deleted", () => "it could not be deleted");
  throw new SottoError("E_INTEGRITY", `Refused ${path}: its ${digest.kind} must be ${digest.hex}; ${fate}`, {
    hint:
      "Something changed the file after it was downloaded. Delete it if it is still there, and run again.",
  });
}

function isDigest(value: unknown): value is Digest {
  if (!isJsonObject(value) || typeof value.hex !== "string") return false;
  return value.kind === "sha256" || (value.kind === "git-sha1" && Number.isSafeInteger(value.length));
}

function malformed(path: string): SottoError {
  return new SottoError("E_MODEL_FORMAT", `Cannot read ${path}: it must give a digest for each file`, {
    hint: "Delete the folder it lies in, and run again to download the model anew.",
  });
}
