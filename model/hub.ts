/**
 * Downloads a model from the Hugging Face hub.
 *
 * The hub says of each file which commit it belongs to (`x-repo-commit`) and what it hashes to: `x-linked-etag` holds
 * the SHA-256 of a large file, `etag` git's SHA-1 of a small one. All files are taken from the commit that the first
 * one came from, and the revision is noted last, so that a snapshot is whole or not found.
 *
 * @module
 */

import { join } from "node:path";
import { SottoError } from "../errors.ts";
import { downloadFile, type DownloadOptions, STALL_SECONDS } from "./download.ts";
import { exists, requirePlainName } from "./folder.ts";
import { request } from "./http.ts";
import { refFile, snapshotFolder } from "./hub_cache.ts";
import { CONFIG, GENERATION_CONFIG, WEIGHTS, WEIGHTS_INDEX } from "./hugging_face.ts";
import type { Digest } from "./integrity.ts";
import { shardNames } from "./safetensors_index.ts";
import { writeDigests } from "./snapshot_digests.ts";
import { StallTimer } from "./stall_timer.ts";
import { readStrictJson } from "./strict_json.ts";
import { writeWhole } from "./write_whole.ts";

/** Which model, and where to. */
export interface HubRequest {
  /** `owner/name` */
  readonly id: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Base URL of the hub. */
  readonly source: string;
  /** The cache folder. */
  readonly cache: string;
}

/** What the hub says of a file. */
interface RemoteFile {
  readonly commit: string;
  readonly digest: Digest | null;
}

/**
 * Downloads what is missing of a model; answers its folder.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND if the hub has no such model or will not give it; E_PATH if its index names a
 * file outside; otherwise as {@linkcode downloadFile} does.
 */
export async function downloadFromHub(wanted: HubRequest, options: DownloadOptions): Promise<string> {
  const config = await describe(wanted, wanted.revision, CONFIG, options);
  if (config === null) throw notFound(wanted);
  const folder = snapshotFolder(wanted.cache, wanted.id, config.commit);

  const digests = new Map<string, Digest>();

  /** Whether the file is there now; false if the hub does not have it. */
  const fetchFile = async (name: string): Promise<boolean> => {
    requirePlainName(name, folder);
    const remote = name === CONFIG ? config : await describe(wanted, config.commit, name, options);
    if (remote === null) return false;
    if (remote.digest) digests.set(name, remote.digest);
    const target = join(folder, name);
    if (await exists(target)) return true; // its digest was right when it got this name
    await downloadFile(fileUrl(wanted, config.commit, name), target, remote.digest, options);
    return true;
  };

  await fetchFile(CONFIG);
  await fetchFile(GENERATION_CONFIG);
  if (!await fetchFile("tokenizer.json")) {
    for (const name of ["vocab.json", "merges.txt", "added_tokens.json"]) await fetchFile(name);
  }
  if (!await fetchFile(WEIGHTS)) {
    if (!await fetchFile(WEIGHTS_INDEX)) {
      throw new SottoError(
        "E_MODEL_NOT_FOUND",
        `Cannot use ${wanted.id}: it has neither ${WEIGHTS} nor ${WEIGHTS_INDEX}`,
        {
          hint: "Only safetensors of a Hugging Face model are read.",
        },
      );
    }
    const index = join(folder, WEIGHTS_INDEX);
    for (const shard of shardNames(await readStrictJson(index), index)) {
      if (!await fetchFile(shard)) throw notFound(wanted, shard);
    }
  }
  await writeDigests(folder, digests);
  const ref = refFile(wanted.cache, wanted.id, wanted.revision);
  if (wanted.revision !== config.commit) await writeWhole(ref, config.commit);
  return folder;
}

/** @returns null if the hub has no such file. */
async function describe(
  wanted: HubRequest,
  revision: string,
  name: string,
  options: DownloadOptions,
): Promise<RemoteFile | null> {
  const url = fileUrl(wanted, revision, name);
  using timer = new StallTimer(options.stallSeconds ?? STALL_SECONDS, options.signal);
  const { response, header } = await request(url, { method: "HEAD", signal: timer.signal });
  await response.body?.cancel();
  // For a repository that does not exist the hub asks for a login, as for one that is private.
  if (response.status === 401 || response.status === 403) throw notFound(wanted);
  if (response.status === 404) return null;
  if (!response.ok) {
    throw new SottoError("E_DOWNLOAD", `Cannot download ${url}: the server answered ${response.status}`, {
      hint: "Run again later, or give the path of a model that is on this machine.",
    });
  }
  const commit = header("x-repo-commit") ?? "";
  if (!/^[0-9a-f]{40}$/.test(commit)) {
    throw new SottoError(
      "E_DOWNLOAD",
      `Cannot download ${url}: the server does not say which commit it answers with`,
      {
        hint: "It is not a Hugging Face hub, or a proxy or a login page of the network is in the way.",
      },
    );
  }
  const tag = (header("x-linked-etag") ?? header("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
  const length = Number(header("x-linked-size") ?? response.headers.get("content-length") ?? NaN);
  return { commit, digest: digestOf(tag, length) };
}

function digestOf(tag: string, length: number): Digest | null {
  if (/^[0-9a-f]{64}$/.test(tag)) return { kind: "sha256", hex: tag };
  if (/^[0-9a-f]{40}$/.test(tag) && Number.isSafeInteger(length)) {
    return { kind: "git-sha1", hex: tag, length };
  }
  return null;
}

function fileUrl({ source, id }: HubRequest, revision: string, name: string): string {
  return `${source}/${id}/resolve/${encodeURIComponent(revision)}/${encodeURIComponent(name)}`;
}

function notFound({ id, revision, source }: HubRequest, file = CONFIG): SottoError {
  return new SottoError(
    "E_MODEL_NOT_FOUND",
    `Cannot find ${file} of ${id} at revision ${revision} on ${source}`,
    {
      hint:
        "Check the name. A private or gated model must be fetched with Hugging Face's own tools first; sotto finds " +
        "it in their cache.",
    },
  );
}
