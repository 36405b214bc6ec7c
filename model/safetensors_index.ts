/**
 * Weights in several safetensors files: `model.safetensors.index.json` names the file of each tensor.
 *
 * @module
 */

import { dirname } from "node:path";
import { SottoError } from "../errors.ts";
import { containedFile } from "./folder.ts";
import { readSafetensors } from "./safetensors.ts";
import { isJsonObject, readStrictJson } from "./strict_json.ts";
import type { StoredTensor } from "./weights.ts";

/** Most shards accepted; the largest Whisper has two. */
const MAX_SHARDS = 1000;

/**
 * The file names in an index, each once.
 *
 * @throws {SottoError} E_MODEL_FORMAT if it is not an index.
 */
export function shardNames(index: unknown, name: string): string[] {
  return [...new Set(Object.values(weightMap(index, name)))];
}

/**
 * The tensors of all shards, under the file's own names.
 *
 * @param path The index; the shards must lie beside it.
 * @throws {SottoError} E_PATH if a shard's name leads elsewhere; E_MODEL_FORMAT if the index or a shard is
 * malformed or they disagree; E_MODEL_NOT_FOUND if a shard is missing.
 */
export async function readShards(path: string): Promise<StoredTensor[]> {
  const index = await readStrictJson(path);
  const map = weightMap(index, path);
  const names = shardNames(index, path);
  if (names.length > MAX_SHARDS) {
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read ${path}: at most ${MAX_SHARDS} shards, got ${names.length}`,
    );
  }
  const tensors: StoredTensor[] = [];
  for (const shard of names) {
    for (const tensor of await readSafetensors({ path: await containedFile(dirname(path), shard) })) {
      if (!Object.hasOwn(map, tensor.name) || map[tensor.name] !== shard) {
        throw new SottoError(
          "E_MODEL_FORMAT",
          `Cannot read ${path}: ${shard} holds ${tensor.name}, the index does not say so`,
        );
      }
      tensors.push(tensor);
    }
  }
  if (tensors.length !== Object.keys(map).length) {
    const found = new Set(tensors.map(({ name }) => name));
    const missing = Object.keys(map).find((name) => !found.has(name));
    throw new SottoError("E_MODEL_FORMAT", `Cannot read ${path}: ${map[missing!]} does not hold ${missing}`);
  }
  return tensors;
}

function weightMap(index: unknown, name: string): Record<string, string> {
  const map = isJsonObject(index) ? index.weight_map : undefined;
  if (isJsonObject(map) && Object.values(map).every((file) => typeof file === "string")) {
    return map as Record<string, string>;
  }
  throw new SottoError(
    "E_MODEL_FORMAT",
    `Cannot read ${name}: weight_map must give a file name for each tensor`,
  );
}
