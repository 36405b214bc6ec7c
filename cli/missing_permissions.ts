/**
 * Permissions whose lack can be told from the arguments alone, told at once instead of one at a time.
 *
 * What is known only on the way (that ffmpeg has to read a file, where ONNX Runtime lies) is told then, and
 * `deno task permissions` finds out beforehand.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { urlOfInput } from "../audio/input.ts";
import { SottoError } from "../errors.ts";
import { libraryCandidates } from "../ffi/library_path.ts";
import { mayRead } from "../ffi/permission.ts";
import { cacheFolders } from "../model/cache_folders.ts";
import { nameKind } from "../model/find.ts";
import type { CommandOptions } from "./command_options.ts";
import { permissionFlags, PermissionList, shellWord } from "./permission_flags.ts";

/** Variables of which one tells where models are kept. */
const CACHE_VARIABLES = ["HOME", "XDG_CACHE_HOME", "SOTTO_CACHE", "HF_HOME"] as const;

/**
 * Passes if everything that the arguments name may be used.
 *
 * The CPU library is not asked for alone where another device can do without it; where something else is missing its
 * flag is named as well, or the next run would be a slow one.
 *
 * @throws {SottoError} E_PERMISSION, its hint all flags to add.
 */
export async function requireNamedPermissions(options: CommandOptions): Promise<void> {
  const missing = new PermissionList();
  const needsPath = async (name: "read" | "write", path: string): Promise<void> => {
    const { state } = await Deno.permissions.query({ name, path });
    if (state !== "granted") missing.add(name, path);
  };
  const { files, output, load, transcription } = options;
  for (const file of files) {
    if (file === "-" || (file.includes("://") && !URL.canParse(file))) continue; // the latter is refused in its turn
    const url = URL.canParse(file) ? urlOfInput(file) : null;
    if (url === null || url.protocol === "file:") await needsPath("read", url ? fileURLToPath(url) : file);
    else if (!await mayFetch(url.host)) missing.add("net", url.host);
  }
  if (output !== null) {
    await needsPath("read", output.folder);
    await needsPath("write", output.folder);
  }
  await addModel(options, missing, needsPath);
  for (const path of [load.precisionFile, load.npuOverlay, transcription.vadModel]) {
    if (path) await needsPath("read", path instanceof URL ? fileURLToPath(path) : path);
  }
  const others = permissionFlags(missing.permissions).length;
  const libraries = addLibraries(options, missing);
  if (others === 0 && libraries === "optional") return;
  const flags = permissionFlags(missing.permissions);
  if (flags.length === 0) return;
  const orFolder = missing.permissions.env.length > 0
    ? "; a model folder (--model_dir) spares variables"
    : "";
  throw new SottoError("E_PERMISSION", "Cannot start because Deno was not given the rights that this takes", {
    hint: `Run again with ${flags.map(shellWord).join(" ")}${orFolder}`,
  });
}

/** A model that is found by a variable, in a folder, or lies at its path. */
async function addModel(
  { model, load: { modelDir } }: CommandOptions,
  missing: PermissionList,
  needsPath: (name: "read", path: string) => Promise<void>,
): Promise<void> {
  const path = model.startsWith("file:") ? fileURLToPath(model) : model;
  const kind = nameKind(path);
  if (kind === "path") await needsPath("read", path);
  if (kind === "path" || kind === "misspelt") return;
  if (modelDir !== undefined) return await needsPath("read", modelDir);
  if (Object.values(cacheFolders()).some((folder) => folder !== null)) return;
  if (kind === "either") return await needsPath("read", path); // more likely: the hub's models are in a cache
  const denied = CACHE_VARIABLES.filter((variable) =>
    Deno.permissions.querySync({ name: "env", variable }).state !== "granted"
  );
  missing.add("env", ...denied);
}

/** Libraries of which no place may be opened, and whether the run can do without them. */
function addLibraries({ load }: CommandOptions, missing: PermissionList): "needed" | "optional" {
  const { device = "auto", library, npuOverlay } = load;
  if (device === "portable") return "optional";
  const npu = device === "npu-emulated" ? "sotto_npu_emulated" : "sotto_xrt";
  const wanted: [name: string, given?: string | URL][] = [["sotto_cpu", library]];
  if (device.startsWith("npu") || npuOverlay !== undefined) wanted.push([npu]);
  for (const [name, given] of wanted) {
    const places = libraryCandidates(name, given).map(({ path }) => path).filter(mayBeThere);
    const isOpen = (path: string) => Deno.permissions.querySync({ name: "ffi", path }).state === "granted";
    if (places.length > 0 && !places.some(isOpen)) missing.add("ffi", places[0]);
  }
  return device === "auto" ? "optional" : "needed";
}

async function mayFetch(host: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "net", host })).state === "granted";
}

/** Whether a file is there, as far as may be seen. */
function mayBeThere(path: string): boolean {
  if (!mayRead(path)) return true;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
