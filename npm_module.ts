/**
 * Imports from npm that happen only when they are wanted.
 *
 * @module
 */

/**
 * Imports a package from npm; the first time ever Deno downloads it.
 *
 * By way of a module made of text: Deno fetches with a program whatever it sees that program import, and from within an
 * npm package, where sotto may lie itself, it takes no `npm:` names.
 *
 * @param specifier Pinned: `npm:name@1.2.3`.
 * @returns The package's exports.
 * @throws {TypeError} if it is neither in Deno's cache nor to be had.
 */
export async function importNpm(specifier: string): Promise<unknown> {
  const source = `import * as module from ${JSON.stringify(specifier)}; export { module };`;
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).module;
}
