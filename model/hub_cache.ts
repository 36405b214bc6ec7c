/**
 * The layout in which Hugging Face's libraries, and sotto too, keep models of the hub:
 * `models--<owner>--<name>/snapshots/<commit>/<file>` and `models--<owner>--<name>/refs/<revision>`, which holds a
 * commit.
 *
 * @module
 */

import { join } from "node:path";
import { exists, kindOf, readText } from "./folder.ts";
import { CONFIG, WEIGHTS, WEIGHTS_INDEX } from "./hugging_face.ts";
import { shardNames } from "./safetensors_index.ts";
import { readStrictJson } from "./strict_json.ts";

const COMMIT = /^[0-9a-f]{40}$/;

/** The folder of a model of the hub in a cache. */
export function hubModelFolder(cache: string, id: string): string {
  return join(cache, `models--${id.replace("/", "--")}`);
}

/** The folder of one commit of it. */
export function snapshotFolder(cache: string, id: string, commit: string): string {
  return join(hubModelFolder(cache, id), "snapshots", commit);
}

/** The file that says which commit a revision is. */
export function refFile(cache: string, id: string, revision: string): string {
  return join(hubModelFolder(cache, id), "refs", revision);
}

/** A whole snapshot of a model at a revision (a branch, a tag or a commit), or null if the cache has none. */
export async function findSnapshot(cache: string, id: string, revision: string): Promise<string | null> {
  const ref = refFile(cache, id, revision);
  const commit = COMMIT.test(revision) ? revision : await exists(ref) ? (await readText(ref)).trim() : "";
  if (!COMMIT.test(commit)) return null;
  const folder = snapshotFolder(cache, id, commit);
  return await isWholeModel(folder) ? folder : null;
}

/** Whether a folder has a config and all its weights. */
export async function isWholeModel(folder: string): Promise<boolean> {
  if (await kindOf(folder) !== "folder" || !await exists(join(folder, CONFIG))) return false;
  if (await exists(join(folder, WEIGHTS))) return true;
  const index = join(folder, WEIGHTS_INDEX);
  if (!await exists(index)) return false;
  for (const shard of shardNames(await readStrictJson(index), index)) {
    if (!await exists(join(folder, shard))) return false;
  }
  return true;
}
