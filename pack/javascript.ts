/**
 * The modules of sotto as JavaScript with declarations, which is what Deno takes from npm packages.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import type { Files } from "./tar.ts";

/** The checkout. */
export const ROOT: string = dirname(import.meta.dirname!);

/** What the package exports, and the module behind it. */
export const ENTRIES: Readonly<Record<string, string>> = {
  ".": "mod.ts",
  "./tensor": "tensor/mod.ts",
  "./notebook": "notebook/mod.ts",
};

/**
 * Transpiles the entries and all they reach.
 *
 * @param folder An empty folder to work in.
 * @returns `.js`, `.d.ts` and `.json` files by their path from the root of the checkout.
 */
export async function javaScriptFiles(folder: string): Promise<Files> {
  const modules = await moduleGraph();
  const sources = modules.filter((path) => path.endsWith(".ts"));
  await deno(["transpile", "--quiet", "--declaration", "--outdir", folder, ...sources]);
  const files = new Map<string, Uint8Array>();
  for (const path of sources) {
    for (const ending of [".js", ".d.ts"]) {
      const out = path.replace(/\.ts$/, ending);
      const text = await Deno.readTextFile(join(folder, out));
      files.set(out, new TextEncoder().encode(asPackaged(text)));
    }
  }
  for (const path of modules.filter((path) => path.endsWith(".json"))) {
    files.set(path, await Deno.readFile(join(ROOT, path)));
  }
  return files;
}

/** Imports `.js` where the source imports `.ts`, and does not tell where it was made. */
function asPackaged(text: string): string {
  return text
    .replaceAll(/((?:from|import)\s*\(?\s*")(\.\.?\/[^"]+)\.ts"/g, '$1$2.js"')
    .replaceAll(/^\/\/\/ <amd-module .*\n/gm, "");
}

/** Every module of the checkout that an entry reaches. */
async function moduleGraph(): Promise<string[]> {
  const found = new Set<string>();
  for (const entry of Object.values(ENTRIES)) {
    const { modules } = JSON.parse(await deno(["info", "--json", entry])) as {
      modules: { local?: string }[];
    };
    for (const { local } of modules) {
      const path = local && relative(ROOT, local);
      if (path && !path.startsWith("..")) found.add(path);
    }
  }
  return [...found].sort();
}

async function deno(args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`deno ${args[0]} failed\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
