/**
 * Deno's permissions as the flags that grant them.
 *
 * @module
 */

import { relative } from "node:path";

/** In the order in which they are printed. */
export const PERMISSION_NAMES = ["read", "write", "ffi", "env", "net", "run"] as const;

/** One of {@linkcode PERMISSION_NAMES}. */
export type PermissionName = typeof PERMISSION_NAMES[number];

/** Values of Deno's permission flags, by the flag's name without `--allow-`. */
export type Permissions = Readonly<Record<PermissionName, readonly string[]>>;

/** Collects permissions, each once. */
export class PermissionList {
  readonly #values: Record<PermissionName, string[]> = {
    read: [],
    write: [],
    ffi: [],
    env: [],
    net: [],
    run: [],
  };

  add(name: PermissionName, ...values: readonly string[]): this {
    for (const value of values) {
      if (!this.#values[name].includes(value)) this.#values[name].push(value);
    }
    return this;
  }

  /** What was added, without paths that lie in another one. */
  get permissions(): Permissions {
    const { read, write } = this.#values;
    return { ...this.#values, read: withoutInner(read), write: withoutInner(write) };
  }
}

/** The flags, one for each kind that has a value: `--allow-read=a,b`. */
export function permissionFlags(permissions: Permissions): string[] {
  // A comma in a value is written twice.
  const listed = (values: readonly string[]) => values.map((value) => value.replaceAll(",", ",,")).join(",");
  return PERMISSION_NAMES.filter((name) => permissions[name].length > 0)
    .map((name) => `--allow-${name}=${listed(permissions[name])}`);
}

/** A word as a POSIX shell reads it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function withoutInner(paths: readonly string[]): string[] {
  const isInside = (path: string, folder: string) => /^(?!\.\.(\/|$))[^/]/.test(relative(folder, path));
  return paths.filter((path) => !paths.some((folder) => folder !== path && isInside(path, folder)));
}
