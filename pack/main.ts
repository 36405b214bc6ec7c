/**
 * Writes the npm packages as tarballs: `deno task pack [--out FOLDER] [--xrt FOLDER]`, into `dist/` unless said otherwise;
 * `--xrt` says where libxrt and its headers are, if they are not installed.
 *
 * @module
 */

import { join } from "node:path";
import { printError } from "../cli/console.ts";
import { taskArguments } from "../cli/task_arguments.ts";
import { sha256 } from "../ffi/library_digest.ts";
import { BuildError } from "../native/build.ts";
import { type Package, platformPackageOf, PLATFORMS, sottoPackage } from "./packages.ts";

const USAGE = "What may be typed: [--out FOLDER] [--xrt FOLDER]";

async function main(args: readonly string[]): Promise<number> {
  const options = { out: { type: "string", default: "dist" }, xrt: { type: "string" } } as const;
  const { values: { out, xrt } } = taskArguments(args, { options }, USAGE);
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
      await write(await platformPackageOf(platform, { xrt, onSkip: (reason) => console.error(reason) }));
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      console.error(`${error.output}not packed for ${platform.arch}: ${error.message}`);
      status = 1;
    }
  }
  return status;
}

if (import.meta.main) {
  Deno.exit(await main(Deno.args).catch((error) => printError(error, false)));
}
