/**
 * Copies of the demo model with something wrong.
 *
 * @module
 */

import { join } from "node:path";
import { DEMO_MODEL } from "../support/command.ts";

const WEIGHTS = "model.safetensors";

/** What a tensor's entry in the header of a safetensors file says. */
export interface HeaderEntry {
  dtype: string;
  shape: unknown[];
  data_offsets: [number, number];
}

/** The header of a safetensors file. */
export type Header = Record<string, HeaderEntry>;

/** The demo model's weights in parts: the header as it is, and the data behind it. */
export async function demoWeights(): Promise<{ header: Header; data: Uint8Array<ArrayBuffer> }> {
  const bytes = await Deno.readFile(join(DEMO_MODEL, WEIGHTS));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  delete header.__metadata__;
  return { header, data: bytes.slice(8 + length) };
}

/** A safetensors file of a header, as an object or as raw text, and data. */
export function safetensors(
  header: Header | string,
  data: Uint8Array<ArrayBuffer> = new Uint8Array(0),
  headerLength?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

/** The demo model's weights with their header, and their data, changed in place. */
export async function changedWeights(
  change: (header: Header, data: Uint8Array<ArrayBuffer>) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const { header, data } = await demoWeights();
  change(header, data);
  return safetensors(header, data);
}

/** A JSON file of the demo model with entries replaced. */
export async function changedJson(name: string, entries: Readonly<Record<string, unknown>>): Promise<string> {
  return JSON.stringify({ ...JSON.parse(await Deno.readTextFile(join(DEMO_MODEL, name))), ...entries });
}

/** Files that take the place of the demo model's; null leaves one out. */
export type Replacements = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes the demo model into a new folder, some files replaced. */
export async function modelWith(folder: string, replacements: Replacements): Promise<void> {
  await Deno.mkdir(folder);
  for (const name of [WEIGHTS, "config.json", "generation_config.json", "tokenizer.json"]) {
    if (!(name in replacements)) await Deno.copyFile(join(DEMO_MODEL, name), join(folder, name));
  }
  for (const [name, content] of Object.entries(replacements)) {
    if (content === null) continue;
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(folder, name), bytes);
  }
}
