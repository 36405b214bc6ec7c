/**
 * The functions of libsotto_cpu, typed, and the one that frees any of its objects.
 *
 * @module
 */

import type { CPU_SYMBOLS } from "./cpu_symbols.ts";
import type { Destroy } from "./native_handle.ts";

/** The library's functions. */
export type CpuSymbols = Deno.DynamicLibrary<typeof CPU_SYMBOLS>["symbols"];

/** Frees native objects. A stale handle is answered with a status that nobody can act on. */
export function destroyWith(symbols: CpuSymbols): Destroy {
  return (handle) => void symbols.sotto_cpu_destroy(handle);
}
