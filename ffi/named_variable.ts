/**
 * Environment variables, read one by one and only where that was permitted.
 *
 * @module
 */

/**
 * The value of an environment variable; undefined if it is not set, is empty, or may not be read. Asks for no
 * permission: without `--allow-env=NAME` the variable simply has no say.
 */
export function namedVariable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}
