/**
 * What a run of the command needs of Deno: files, hosts, variables, the library, ffmpeg; nothing else.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { openAudio } from "../audio/mod.ts";
import { SottoError } from "../errors.ts";
import { type LibraryStep, librarySteps } from "../ffi/library_path.ts";
import { MODEL_VARIABLE } from "../kernels/npu/options.ts";
import { cacheFolders } from "../model/cache_folders.ts";
import { findModel } from "../model/mod.ts";
import { HUB_BASE_URL, OFFICIAL_MODELS, OPENAI_BASE_URL } from "../model/official_models.ts";
import { onnxRuntimeLibrary, SileroDetector } from "../voice/mod.ts";
import type { CommandOptions } from "./command_options.ts";
import { PermissionList, type Permissions } from "./permission_flags.ts";

/** Permissions, and arguments that spare some: paths for what would otherwise be searched for. */
export interface Requirements {
  readonly permissions: Permissions;
  /** Options to add to those that were typed, as `name → value`. */
  readonly arguments: ReadonlyMap<string, string>;
  /** What the user should know, a sentence each. */
  readonly notes: readonly string[];
}

/** Variables that say where caches are (`model/cache_folders.ts`). */
const CACHE_VARIABLES = ["HOME", "XDG_CACHE_HOME", "SOTTO_CACHE", "HF_HOME", "HF_HUB_CACHE"];

/**
 * Finds out what a run would need, by looking at everything it would use. Needs the permission to do so.
 *
 * @throws {SottoError} what the run would end with before it works: a missing file, a misspelt model.
 */
export async function requiredPermissions(options: CommandOptions): Promise<Requirements> {
  const found = new Found();
  await addModel(found, options);
  for (const file of options.files) await addInput(found, file);
  if (options.output !== null) found.add("read", options.output.folder).add("write", options.output.folder);
  addLibraries(found, options.load);
  await addVoice(found, options.transcription);
  return found;
}

class Found extends PermissionList implements Requirements {
  readonly arguments = new Map<string, string>();
  readonly notes: string[] = [];
}

async function addModel(found: Found, { model, load }: CommandOptions): Promise<void> {
  try {
    const path = await findModel(model, { ...load, offline: true });
    if (path !== model) {
      found.arguments.set("model", path);
      found.notes.push(`${model} is ${path}: with its path nothing is looked up, and no variable read.`);
    }
    found.add("read", path);
  } catch (error) {
    const isAbsent = error instanceof SottoError && error.code === "E_MODEL_NOT_FOUND";
    const isOfficial = OFFICIAL_MODELS.has(model);
    if (!isAbsent || load.offline || !(isOfficial || /^[\w.-]+\/[\w.-]+$/.test(model))) throw error;
    const folder = load.modelDir ?? cacheFolders().sotto;
    if (folder === null) throw error;
    if (load.modelDir === undefined) {
      found.add(
        "env",
        ...CACHE_VARIABLES.filter((name) => Deno.env.get(name)),
      );
    }
    found.add("read", folder).add("write", folder);
    found.add("net", new URL(isOfficial ? OPENAI_BASE_URL : HUB_BASE_URL).host);
    found.notes.push(
      `${model} is not on this machine: the first run downloads it; then ask again for fewer flags.`,
    );
  }
}

async function addInput(found: Found, file: string): Promise<void> {
  if (file === "-") return;
  if (/^https?:/i.test(file)) return void found.add("net", new URL(file).host);
  found.add("read", file);
  const { info } = await openAudio(file);
  // Only where ffmpeg reads a file is its rate not known beforehand.
  if (info.sampleRate === null) found.add("run", "ffmpeg");
}

async function addVoice(found: Found, { vadModel = null }: CommandOptions["transcription"]): Promise<void> {
  if (vadModel === null) return;
  await using _readable = await SileroDetector.open(vadModel);
  found.add("read", vadModel instanceof URL ? fileURLToPath(vadModel) : vadModel);
  found.add("ffi", await onnxRuntimeLibrary());
}

function addLibraries(found: Found, load: CommandOptions["load"]): void {
  const { device = "auto", library, npuOverlay, precisionFile } = load;
  if (precisionFile !== undefined) found.add("read", String(precisionFile));
  if (device === "portable") return;
  const cpu = firstThere(librarySteps("sotto_cpu", library));
  if (cpu === undefined) {
    found.notes.push("There is no CPU library: the portable device runs. Make one with: deno task build");
  } else {
    found.add("ffi", cpu.path!);
    if (cpu.source === "SOTTO_LIBRARY") found.add("env", "SOTTO_LIBRARY");
    if (cpu.source === "npm package" || cpu.source === "cache") found.arguments.set("library", cpu.path!);
  }
  if (npuOverlay !== undefined) {
    found.add("read", npuOverlay instanceof URL ? fileURLToPath(npuOverlay) : npuOverlay);
  }
  const names = device === "npu-emulated"
    ? ["sotto_npu_emulated"]
    : device === "npu" || npuOverlay
    ? ["sotto_xrt"]
    : [];
  for (const name of names) {
    const step = firstThere(librarySteps(name));
    if (step) found.add("ffi", step.path!);
    else found.notes.push(`There is no lib${name}; deno task doctor says what it takes.`);
    if (step?.source === "SOTTO_NPU_LIBRARY") found.add("env", "SOTTO_NPU_LIBRARY");
  }
  if (device === "npu-emulated" && Deno.env.get(MODEL_VARIABLE)) found.add("env", MODEL_VARIABLE);
}

function firstThere(steps: readonly LibraryStep[]): LibraryStep | undefined {
  return steps.find(({ path }) => path !== null && isFile(path));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
