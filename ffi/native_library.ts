/**
 * Opens a native library: the one place that calls `Deno.dlopen`.
 *
 * A library, once open, is never closed: its threads and a late finalizer may still call into it.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { ELF_HEADER_BYTES, elfFault } from "./elf_header.ts";
import { requireDigest } from "./library_digest.ts";
import { libraryCandidates } from "./library_path.ts";
import { mayRead, requireForeignFunctions } from "./permission.ts";

/** Before this version a nonblocking call could read buffers that the garbage collector had taken. */
export const OLDEST_DENO: readonly [number, number, number] = [2, 7, 6];

/** How a library is opened. */
export interface NativeLibrarySpec<Symbols extends Deno.ForeignLibraryInterface> {
  /** Without prefix and suffix: `sotto_cpu`. */
  readonly name: string;
  readonly symbols: Symbols;
  /** The symbol that answers with the ABI number, `uint32_t (void)`. */
  readonly abiSymbol: string;
  /** The number it must answer with. */
  readonly abi: number;
}

/** A library that is open. */
export interface NativeLibrary<Symbols extends Deno.ForeignLibraryInterface> {
  /** Absolute path it was opened from. */
  readonly path: string;
  readonly symbols: Deno.DynamicLibrary<Symbols>["symbols"];
}

const BUILD_HINT = "Run: deno task build";

/**
 * Opens a library at the first place that has it.
 *
 * @param given The caller's own path, or a `file:` URL; nothing else is tried then.
 * @throws {SottoError} E_PERMISSION without `--allow-ffi` for it; E_NATIVE if it is missing, is not for this
 * processor, is cut short, or has another ABI number, or if Deno is too old.
 */
export function openNativeLibrary<const Symbols extends Deno.ForeignLibraryInterface>(
  spec: NativeLibrarySpec<Symbols>,
  given?: string | URL,
): NativeLibrary<Symbols> {
  requireDeno(Deno.version.deno);
  const tried: string[] = [];
  let unknown: SottoError | null = null;
  for (const { path, source } of libraryCandidates(spec.name, given)) {
    if (mayRead(path)) {
      if (!inspect(path)) {
        tried.push(`${path} (${source})`);
        continue;
      }
      if (source === "cache") requireDigest(path);
      return open(spec, path);
    }
    // Without read permission dlopen itself has to tell whether there is a file; if not, it may be at the next place.
    try {
      return open(spec, path);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      unknown ??= error;
    }
  }
  if (unknown !== null) throw unknown;
  const where = tried.length > 0 ? `tried ${tried.join(", ")}` : "this module was not loaded from a file";
  throw new SottoError("E_NATIVE", `Cannot open the native library ${spec.name}: no such file; ${where}`, {
    hint: tried.length > 0
      ? BUILD_HINT
      : "Give the library's path, or install its npm package; deno task build makes it in a checkout",
  });
}

/** Opens the library of that path. */
function open<const Symbols extends Deno.ForeignLibraryInterface>(
  spec: NativeLibrarySpec<Symbols>,
  path: string,
): NativeLibrary<Symbols> {
  requireForeignFunctions(path);
  requireAbi(spec, path);
  return { path, symbols: dlopen(path, spec.symbols).symbols };
}

/**
 * Refuses a Deno whose nonblocking calls are not safe.
 *
 * @param version Such as `2.9.6`.
 */
export function requireDeno(version: string): void {
  const parts = version.split(/[.+-]/).slice(0, 3).map(Number);
  const first = parts.findIndex((part, i) => part !== OLDEST_DENO[i]);
  if (first < 0 || parts[first] > OLDEST_DENO[first]) return;
  throw new SottoError(
    "E_NATIVE",
    `Cannot use native code: Deno must be ${OLDEST_DENO.join(".")} or newer, is ${version}`,
    {
      hint: "Run: deno upgrade",
    },
  );
}

/** Whether the file is there; throws if it is there and cannot be right. */
function inspect(path: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new SottoError("E_NATIVE", `Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  using _closing = file;
  const stat = file.statSync();
  if (!stat.isFile) throw new SottoError("E_NATIVE", `Cannot open ${path}: it is not a file`);
  if (Deno.build.os !== "linux") return true;
  const head = new Uint8Array(ELF_HEADER_BYTES);
  const fault = elfFault(head.subarray(0, file.readSync(head) ?? 0), stat.size);
  if (fault) throw new SottoError("E_NATIVE", `Cannot open ${path}: ${fault}`, { hint: BUILD_HINT });
  return true;
}

/** Asks for the ABI number alone, because the other symbols may not be there in another version. */
function requireAbi(spec: NativeLibrarySpec<Deno.ForeignLibraryInterface>, path: string): void {
  const library = dlopen(path, { [spec.abiSymbol]: { parameters: [], result: "u32" } });
  const ask = library.symbols[spec.abiSymbol] as () => number;
  const found = ask();
  if (found === spec.abi) return;
  throw new SottoError("E_NATIVE", `Cannot use ${path}: its ABI must be ${spec.abi}, is ${found}`, {
    hint: BUILD_HINT,
  });
}

function dlopen<const Symbols extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols> {
  try {
    return Deno.dlopen(path, symbols);
  } catch (error) {
    const reason = (error as Error).message.replaceAll(/\s+/g, " ");
    throw new SottoError("E_NATIVE", `Cannot open ${path}: ${reason}`, { hint: BUILD_HINT, cause: error });
  }
}
