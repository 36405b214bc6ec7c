/**
 * Runs the Python designs of `kernels/iron` on the stand-in of the toolchain, and compiles their tile kernels as plain C++.
 * Without `python3` or `g++` tests are ignored, aloud.
 *
 * @module
 */

import { join } from "node:path";
import type { IronEntry } from "../../kernels/iron/catalogue_lines.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const ROOT = PROJECT_ROOT.pathname;
/** The sources. */
export const IRON = join(ROOT, "kernels/iron");
const TESTS = join(ROOT, "tests/iron");
const STAND_IN = join(TESTS, "stand_in");

function isThere(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Registers a test that needs programs. */
export function testWithPrograms(
  name: string,
  programs: readonly string[],
  body: () => Promise<void>,
): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return Deno.test(name, body);
  console.log(`skipped: ${name} (no ${missing.join(", ")})`);
  Deno.test({ name, ignore: true, fn: () => {} });
}

/** Whether designs can be carried out here; says so once if not. */
export const CAN_RUN: boolean = isThere("python3") && isThere("g++");

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  // Nothing of this machine's own toolchain, if it has one.
  const only = { PATH: Deno.env.get("PATH") ?? "", ...env };
  const command = new Deno.Command(program, { args: [...args], env: only, clearEnv: true });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs a Python file that finds the stand-in as the toolchain; `python` of the repository's root. */
export function python(file: string, ...args: string[]): Promise<Ended> {
  return run("python3", [join(ROOT, file), ...args], {
    PYTHONPATH: [STAND_IN, IRON, TESTS].join(":"),
    PYTHONDONTWRITEBYTECODE: "1",
  });
}

/** What describe_designs.py says of a design. */
export interface Description {
  readonly device: [string, number];
  readonly tiles: [number, number][];
  readonly ports: Record<string, { row: number; objectBytes: number; tiles: [number, number][] }>;
  readonly kernels: [string, string][];
  readonly recipe: Recipe;
  readonly bufferBytes: number;
  readonly outputDepth: number;
  readonly pinned: [number, number][];
  readonly descriptors: number;
  readonly complaints: string[];
}

/** How a tile kernel is compiled. */
export interface Recipe {
  readonly source: string;
  readonly flags: string[];
  readonly object_file: string;
}

/** What the designs are made of: all, or one with other sizes. */
export async function describe(...args: string[]): Promise<Record<string, Description>> {
  const { code, stdout, stderr } = await python("tests/iron/describe_designs.py", ...args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Compiles tile kernels as a library for this machine; gives the compiler's complaints. */
export async function compileTiles({ source, flags, object_file }: Recipe, folder: string): Promise<string> {
  const { stderr } = await run("g++", [
    ...["-std=c++20", "-O2", "-Wall", "-Wextra", "-ffp-contract=off", "-fPIC", "-shared", `-I${STAND_IN}`],
    ...flags,
    ...[join(IRON, "tiles", source), "-o", join(folder, `${object_file}.so`)],
  ]);
  return stderr;
}

/** What a design's ports are sent, and its runtime words. */
export interface Traffic {
  /** Bytes by port, `column/mm2schannel`. */
  readonly sent: ReadonlyMap<string, Uint8Array>;
  /** The four words, if the entry has any. */
  readonly words: readonly number[];
}

/** Carries out a design; gives the bytes that come out by port, `column/s2mmchannel`. */
export async function runDesign(
  entry: IronEntry,
  recipe: Recipe,
  traffic: Traffic,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const folder = await Deno.makeTempDir();
  try {
    const complaints = await compileTiles(recipe, folder);
    if (complaints !== "") throw new Error(complaints);
    await Deno.writeTextFile(join(folder, "words.json"), JSON.stringify(traffic.words));
    for (const [port, bytes] of traffic.sent) {
      await Deno.writeFile(join(folder, port.replace("/", "_")), bytes);
    }
    const { code, stderr } = await python("tests/iron/run_design.py", entry.name, folder);
    if (code !== 0) throw new Error(stderr);
    const received = new Map<string, Uint8Array<ArrayBuffer>>();
    for await (const { name } of Deno.readDir(folder)) {
      if (!/^\d_s2mm\d$/.test(name)) continue;
      received.set(name.replace("_", "/"), await Deno.readFile(join(folder, name)));
    }
    return received;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
