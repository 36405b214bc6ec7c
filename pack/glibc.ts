/**
 * Which glibc a library needs.
 *
 * @module
 */

/** The oldest glibc that packaged libraries load with: Debian 10, RHEL 8 (2018). */
export const OLDEST_GLIBC = "2.28";

/**
 * The newest version of glibc's symbols that a library asks for, as binutils' readelf lists them.
 *
 * @throws {Error} if readelf cannot read it, or it needs libraries beyond libc's own.
 */
export async function neededGlibc(path: string): Promise<string> {
  const command = new Deno.Command("readelf", { args: ["--wide", "--dynamic", "--version-info", path] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`readelf: ${new TextDecoder().decode(stderr)}`);
  const text = new TextDecoder().decode(stdout);
  const foreign = [...text.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map(([, name]) => name)
    .filter((name) => !/^(lib(c|m|pthread)\.so\.6|libpthread\.so\.0|ld-linux.*)$/.test(name));
  if (foreign.length > 0) throw new Error(`${path} needs ${foreign.join(", ")}`);
  const versions = [...text.matchAll(/Name: GLIBC_([\d.]+)/g)].map(([, version]) => version);
  return versions.reduce((newest, version) => isNewer(version, newest) ? version : newest, "0");
}

/** Whether version `a` is newer than `b`, part by part. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) > (right[i] ?? 0);
  }
  return false;
}
