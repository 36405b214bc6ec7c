/**
 * Writes the npm packages as tarballs: `deno task pack [--out FOLDER]`, into `dist/` unless said otherwise.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { sha256 } from "../ffi/library_digest.ts";
import { BuildError } from "../native/build.ts";
import { type Package, platformPackageOf, PLATFORMS, sottoPackage } from "./packages.ts";

async function main(args: readonly string[]): Promise<number> {
  const { values: { out } } = parseArgs({
    args: [...args],
    options: { out: { type: "string", default: "dist" } },
  });
  await Deno.mkdir(out, { recursive: true });
  const write = async ({ fileName, bytes }: Package) => {
    await Deno.writeFile(join(out, fileName), bytes);
    console.log(`${sha256(bytes)}  ${join(out, fileName)}  ${(bytes.length / 1000).toFixed(0)} kB`);
  };
  const work = await Deno.makeTempDir();
  try {
    await write(await sottoPackage(work));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  let status = 0;
  for (const platform of PLATFORMS) {
    try {
      await write(await platformPackageOf(platform));
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      console.error(`not packed for ${platform.arch}: ${error.message}`);
      status = 1;
    }
  }
  return status;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
