/**
 * Reads the reference results in `tests/data/decoder`.
 */

const FOLDER = new URL("../data/decoder/", import.meta.url);

/** The text of a file. */
export async function dataText(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, FOLDER));
}

/** A JSON file, parsed. */
// deno-lint-ignore no-explicit-any
export async function dataJson(name: string): Promise<any> {
  return JSON.parse(await dataText(name));
}
