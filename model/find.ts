/**
 * From the name of a model to a path on this machine.
 *
 * @module
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SottoError, type WarningSink } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { cacheFolders } from "./cache_folders.ts";
import { downloadFile, type DownloadOptions } from "./download.ts";
import { exists, kindOf } from "./folder.ts";
import { downloadFromHub } from "./hub.ts";
import { findSnapshot, isWholeModel } from "./hub_cache.ts";
import { type Digest, hasDigest, onlyOwnerWrites } from "./integrity.ts";
import {
  HUB_BASE_URL,
  HUB_NAMES,
  OFFICIAL_MODELS,
  type OfficialModel,
  OPENAI_BASE_URL,
} from "./official_models.ts";
import { checkSnapshot, requireDigest } from "./snapshot_digests.ts";

/** Options of {@linkcode findModel}. */
export interface FindModelOptions extends DownloadOptions {
  /** Folder that is looked in first and downloaded to; default: sotto's cache. */
  readonly modelDir?: string;
  /** Never use the network. */
  readonly offline?: boolean;
  /** Branch, tag or commit of a model of the hub; default `main`. */
  readonly revision?: string;
  /** Hash what sotto downloaded earlier again, even if only its owner can write there. */
  readonly verify?: boolean;
  /** Receives what the user should know although a model was found. */
  readonly onWarning?: WarningSink;
  /** Base URLs to use in place of openai's and Hugging Face's, such as a mirror's. */
  readonly sources?: { readonly openai?: string; readonly hub?: string };
}

/** Beginnings and endings that only paths have. */
const PATH = /^[./~\\]|^[A-Za-z]:[/\\]|\.(pt|bin|safetensors|gguf|onnx)$/i;
const HUB_ID = /^[\w][\w.-]*\/[\w][\w.-]*$/;
const REVISION = /^[\w][\w.-]*$/;

/**
 * The local path of a model, for `openCheckpoint`.
 *
 * A name is one of openai-whisper's (`base`, `large-v3`, `turbo`, …), a path, a `file:` URL, or `owner/name` on the
 * Hugging Face hub. An official name is never taken for a path (write `./base` for one). It is looked for in
 * `modelDir` (the `.pt`, whisper.cpp's `ggml-<name>.bin`, a folder `<name>` or `whisper-<name>`), sotto's cache,
 * openai-whisper's cache and Hugging Face's cache, and else downloaded as openai's `.pt`. A model of the hub is
 * looked for in `modelDir`, sotto's and Hugging Face's caches, and else downloaded.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND if there is none, saying where was looked; E_DOWNLOAD, E_INTEGRITY,
 * E_DISK_FULL or E_ABORTED from the download; E_PERMISSION; E_OPTION if the name is a URL of the web or the
 * revision is malformed.
 */
export async function findModel(nameOrPath: string | URL, options: FindModelOptions = {}): Promise<string> {
  const name = localName(nameOrPath);
  const revision = options.revision ?? "main";
  if (!REVISION.test(revision)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use revision ${JSON.stringify(revision)}: need a branch, tag or commit`,
    );
  }
  const search = new Search(name, options);
  const official = OFFICIAL_MODELS.get(name);
  if (official) return await findOfficial(search, official, revision);
  const hubId = HUB_NAMES.get(name);
  if (hubId) return await findOnHub(search, hubId, revision);

  const kind = nameKind(name);
  if (await existsHere(name, kind)) return name;
  if (kind === "either") return await findOnHub(search, name, revision);
  throw unknownName(name);
}

/**
 * What a model's name can stand for: a `path` alone; a known `name`, which is never taken for a path; `either` a path
 * or `owner/name` on the hub; or a path that is more likely a `misspelt` name.
 */
export function nameKind(name: string): "path" | "name" | "either" | "misspelt" {
  if (OFFICIAL_MODELS.has(name) || HUB_NAMES.has(name)) return "name";
  if (PATH.test(name)) return "path";
  if (HUB_ID.test(name)) return "either";
  return didYouMean(name, knownNames()) === "" ? "path" : "misspelt";
}

/** Where no folder is given and no variable may be read that names one. */
const NOWHERE = "no place: give a model folder (--model_dir), or --allow-env=SOTTO_CACHE,XDG_CACHE_HOME,HOME";

/** Where was looked so far, for the message when nothing is found. */
class Search {
  readonly #looked: string[] = [];
  readonly sottoCache: string | null;
  readonly openaiCache: string | null;
  readonly huggingFaceCache: string | null;

  constructor(readonly name: string, readonly options: FindModelOptions) {
    const { sotto, openaiWhisper, huggingFace } = cacheFolders();
    this.sottoCache = sotto;
    this.openaiCache = openaiWhisper;
    this.huggingFaceCache = huggingFace;
  }

  /** Notes a place and says whether it may be read: other programs' caches are not asked permission for. */
  async mayLook(path: string): Promise<boolean> {
    const isOwn = this.options.modelDir !== undefined && path.startsWith(this.options.modelDir);
    const granted = isOwn || (await Deno.permissions.query({ name: "read", path })).state === "granted";
    this.#looked.push(granted ? path : `${path} (not readable without --allow-read=${path})`);
    return granted;
  }

  /** Where downloads go. */
  downloadFolder(part: "openai" | "hub"): string {
    if (this.options.modelDir !== undefined) return this.options.modelDir;
    if (this.sottoCache !== null) return join(this.sottoCache, part);
    const home = Deno.permissions.querySync({ name: "env", variable: "HOME" }).state;
    if (home === "granted") {
      throw new SottoError("E_OPTION", `Cannot find ${this.name}: no variable says where models are kept`, {
        hint: "Give a folder (--model_dir), or set SOTTO_CACHE.",
      });
    }
    const orFolder = nameKind(this.name) === "either" ? `; if it is a folder, --allow-read=${this.name}` : "";
    throw new SottoError(
      "E_PERMISSION",
      `Cannot find ${this.name}: no variable may be read that says where models are kept`,
      { hint: `Run again with --allow-env=HOME,XDG_CACHE_HOME,SOTTO_CACHE${orFolder}` },
    );
  }

  refuseOffline(file: string): void {
    if (!this.options.offline) return;
    throw new SottoError(
      "E_MODEL_NOT_FOUND",
      `Cannot find model ${this.name} offline; looked at ${this.#looked.join(", ") || NOWHERE}`,
      {
        hint: `Run once without --offline, or put ${file} into the model folder.`,
      },
    );
  }
}

async function findOfficial(search: Search, model: OfficialModel, revision: string): Promise<string> {
  const { options, name } = search;
  const digest: Digest = { kind: "sha256", hex: model.sha256 };
  if (options.modelDir !== undefined) {
    for (const file of [model.file, `ggml-${name}.bin`]) {
      const path = join(options.modelDir, file);
      if (await search.mayLook(path) && await exists(path)) return path;
    }
    for (const folder of [name, `whisper-${name}`, basename(model.hubId)]) {
      const path = join(options.modelDir, folder);
      if (await search.mayLook(path) && await isWholeModel(path)) return path;
    }
  }
  if (search.sottoCache !== null) {
    const folder = join(search.sottoCache, "openai");
    const path = join(folder, model.file);
    if (await search.mayLook(path) && await exists(path)) {
      if (options.verify || !await onlyOwnerWrites(path, folder)) {
        await requireDigest(path, digest, options.signal);
      }
      return path;
    }
  }
  if (search.openaiCache !== null) {
    const path = join(search.openaiCache, model.file);
    if (await search.mayLook(path) && await exists(path)) {
      // openai-whisper writes in place: what lies there may be half a download.
      if (await hasDigest(path, digest, options.signal)) return path;
      options.onWarning?.({
        code: "W_MODEL",
        message: `${path} is not the published file (its SHA-256 differs): passed over`,
      });
    }
  }
  const snapshot = await findInHubCaches(search, model.hubId, revision);
  if (snapshot) return snapshot;

  search.refuseOffline(model.file);
  const target = join(search.downloadFolder("openai"), model.file);
  const source = options.sources?.openai ?? OPENAI_BASE_URL;
  await downloadFile(`${source}/${model.sha256}/${model.file}`, target, digest, options);
  return target;
}

async function findOnHub(search: Search, id: string, revision: string): Promise<string> {
  const snapshot = await findInHubCaches(search, id, revision);
  if (snapshot) return snapshot;
  search.refuseOffline(`the files of ${id}`);
  const source = search.options.sources?.hub ?? HUB_BASE_URL;
  return await downloadFromHub({ id, revision, source, cache: search.downloadFolder("hub") }, search.options);
}

async function findInHubCaches(search: Search, id: string, revision: string): Promise<string | null> {
  const own = search.options.modelDir ?? null;
  const sotto = search.sottoCache && join(search.sottoCache, "hub");
  for (const cache of [own, sotto, search.huggingFaceCache]) {
    if (cache === null || !await search.mayLook(cache)) continue;
    const snapshot = await findSnapshot(cache, id, revision);
    if (snapshot === null) continue;
    await checkSnapshot(snapshot, { always: search.options.verify ?? false, signal: search.options.signal });
    return snapshot;
  }
  return null;
}

function localName(nameOrPath: string | URL): string {
  const text = String(nameOrPath);
  if (text.startsWith("file:")) return fileURLToPath(text);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot open model ${text}: only file: URLs, paths and names are taken`,
      {
        hint: "Download the file and give its path, or give owner/name for a model of the Hugging Face hub.",
      },
    );
  }
  return text;
}

/** Whether something lies at that path. What need not be a path is not asked permission for. */
async function existsHere(path: string, kind: ReturnType<typeof nameKind>): Promise<boolean> {
  const granted = (await Deno.permissions.query({ name: "read", path })).state === "granted";
  if (!granted && kind !== "path") return false;
  return await kindOf(path) !== null;
}

function knownNames(): string[] {
  return [...OFFICIAL_MODELS.keys(), ...HUB_NAMES.keys()];
}

function unknownName(name: string): SottoError {
  if (PATH.test(name)) {
    return new SottoError("E_MODEL_NOT_FOUND", `Cannot find model ${name}: there is no such file or folder`);
  }
  return new SottoError(
    "E_MODEL_NOT_FOUND",
    `Cannot find model ${name}: it is no path on this machine, no name of openai-whisper, and no owner/name of the hub`,
    { hint: didYouMean(name, knownNames()) || `Known names: ${knownNames().join(", ")}` },
  );
}
