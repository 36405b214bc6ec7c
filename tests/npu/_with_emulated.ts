/**
 * Tests that want the emulated NPU's library, which `deno task build` makes where there is a C compiler. Without it they
 * are ignored, aloud.
 *
 * @module
 */

import { libraryFileName } from "../../ffi/library_path.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const LIBRARY = new URL(
  `native/build/${Deno.build.os}-${Deno.build.arch}/${libraryFileName("sotto_npu_emulated")}`,
  PROJECT_ROOT,
).pathname;

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Registers a test that needs the emulated NPU, and files of `../shared/data`, if any. */
export function testOnEmulatedNpu(
  name: string,
  data: readonly string[],
  body: (...paths: string[]) => Promise<void>,
): void {
  if (exists(LIBRARY)) return testWithData(name, data, body);
  console.log(`skipped: ${name} (no ${LIBRARY})`);
  Deno.test({ name, ignore: true, fn: () => {} });
}
