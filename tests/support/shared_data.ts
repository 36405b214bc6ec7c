/**
 * Finds the development data beside the checkout. Tests that want it are ignored, aloud, where it is missing.
 *
 * @module
 */

/** The project's root, as a `file:` URL with a final slash. */
export const PROJECT_ROOT: URL = new URL("../../", import.meta.url);

/** The path of a file or folder of `../shared/data`, or null where there is none. */
export function sharedData(name: string): string | null {
  const url = new URL(`../shared/data/${name}`, PROJECT_ROOT);
  try {
    Deno.statSync(url);
    return url.pathname;
  } catch {
    return null;
  }
}

/** Registers a test that needs files of `../shared/data`; without them it is ignored with one line that says so. */
export function testWithData(
  name: string,
  data: readonly string[],
  body: (...paths: string[]) => void | Promise<void>,
): void {
  const paths = data.map(sharedData);
  const missing = data.filter((_, i) => paths[i] === null);
  if (missing.length > 0) console.log(`skipped: ${name} (no ../shared/data/${missing[0]})`);
  Deno.test({ name, ignore: missing.length > 0, fn: () => body(...paths as string[]) });
}
