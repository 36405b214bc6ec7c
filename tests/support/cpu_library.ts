/**
 * Finds the CPU library that `deno task build` makes. Tests that want it are ignored, aloud, where it is missing
 * (a machine without a C compiler).
 *
 * @module
 */

import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { libraryFileName } from "../../ffi/library_path.ts";
import { PROJECT_ROOT } from "./shared_data.ts";

/** Where the library is built, there or not. */
export const LIBRARY_PATH: string =
  new URL(`native/build/${Deno.build.os}-${Deno.build.arch}/${libraryFileName("sotto_cpu")}`, PROJECT_ROOT)
    .pathname;

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether the library was built. */
export const HAS_LIBRARY: boolean = exists(LIBRARY_PATH);

/** Kernel variants this processor can run; none without the library. */
export function variants(): readonly string[] {
  return HAS_LIBRARY ? CpuLibrary.open(LIBRARY_PATH).describe().variants : [];
}

/** Registers a test that needs the CPU library. */
export function testWithLibrary(name: string, body: () => void | Promise<void>): void {
  if (!HAS_LIBRARY) console.log(`skipped: ${name} (no ${LIBRARY_PATH})`);
  Deno.test({ name, ignore: !HAS_LIBRARY, fn: body });
}
