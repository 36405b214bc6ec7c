/**
 * What a library needs to be loaded: which glibc, and what else.
 *
 * @module
 */

/** The oldest glibc that packaged libraries load with: Debian 10, RHEL 8 (2018). */
export const OLDEST_GLIBC = "2.28";

/** What the loader looks for. */
export interface LibraryNeeds {
  /** The newest version of each family of symbols: `GLIBC` → `2.27`, `GLIBCXX` → `3.4.21`. */
  readonly versions: ReadonlyMap<string, string>;
  /** Libraries beyond libc's own, such as `libxrt_coreutil.so.2`. */
  readonly foreign: readonly string[];
}

/**
 * What a library asks for, as binutils' readelf lists it.
 *
 * @throws {Error} if readelf cannot read it.
 */
export async function libraryNeeds(path: string): Promise<LibraryNeeds> {
  const command = new Deno.Command("readelf", { args: ["--wide", "--dynamic", "--version-info", path] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`readelf: ${new TextDecoder().decode(stderr)}`);
  const text = new TextDecoder().decode(stdout);
  const foreign = [...text.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map(([, name]) => name)
    .filter((name) => !/^(lib(c|m|pthread)\.so\.6|libpthread\.so\.0|ld-linux.*)$/.test(name));
  const versions = new Map<string, string>();
  for (const [, family, version] of text.matchAll(/Name: ([A-Z]+)_([\d.]+)/g)) {
    if (isNewer(version, versions.get(family) ?? "0")) versions.set(family, version);
  }
  return { versions, foreign };
}

/**
 * The newest glibc that a library without other needs asks for.
 *
 * @throws {Error} if it needs libraries beyond libc's own.
 */
export async function neededGlibc(path: string): Promise<string> {
  const { versions, foreign } = await libraryNeeds(path);
  if (foreign.length > 0) throw new Error(`${path} needs ${foreign.join(", ")}`);
  return versions.get("GLIBC") ?? "0";
}

/** Whether version `a` is newer than `b`, part by part. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) > (right[i] ?? 0);
  }
  return false;
}
