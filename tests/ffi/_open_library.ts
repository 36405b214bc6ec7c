/** Opens the library that its argument names (or none does) and prints what came of it as JSON; for child processes. */

import { SottoError } from "../../errors.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";

try {
  const library = CpuLibrary.open(Deno.args[0]);
  console.log(JSON.stringify({ path: library.path, variants: library.describe().variants }));
} catch (error) {
  if (!(error instanceof SottoError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
