/**
 * JSON that comes from a checkpoint: UTF-8, not nested deeply, and without the duplicate keys of which
 * `JSON.parse` silently keeps the last.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { openByteSource } from "./byte_source.ts";

/** Deepest nesting accepted; a tokenizer.json has seven levels. */
const MAX_DEPTH = 64;

/** Largest JSON file read, in bytes; a Whisper's largest is a tokenizer.json of 4 MB. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

/**
 * Parses JSON bytes.
 *
 * @param name What the bytes are, for messages.
 * @throws {SottoError} E_MODEL_FORMAT if they are not UTF-8, not JSON, nested too deeply, or repeat a key.
 */
export function parseStrictJson(bytes: Uint8Array, name: string): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SottoError("E_MODEL_FORMAT", `Cannot read ${name}: it is not UTF-8`, { cause });
  }
  checkStructure(text, name);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read ${name}: it is not JSON (${(cause as Error).message})`,
      { cause },
    );
  }
}

/**
 * Reads and parses a JSON file.
 *
 * @throws {SottoError} as {@linkcode parseStrictJson} does; E_MODEL_FORMAT if the file is over 64 MiB;
 * E_MODEL_NOT_FOUND, E_PERMISSION or E_INPUT if it cannot be read.
 */
export async function readStrictJson(path: string): Promise<unknown> {
  using source = await openByteSource({ path });
  if (source.size > MAX_FILE_BYTES) {
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read ${path}: at most ${MAX_FILE_BYTES} bytes of JSON, got ${source.size}`,
    );
  }
  return parseStrictJson(await source.read(0, source.size), path);
}

/** Whether a JSON value is an object (and no array). */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One pass over text that need not be JSON: refuses depth and repeated keys, leaves syntax to `JSON.parse`. */
function checkStructure(text: string, name: string): void {
  const open: (Set<string> | null)[] = []; // the keys of each open object, null for an array
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: { // "
        const end = stringEnd(text, i + 1);
        const keys = open.at(-1);
        if (expectsKey && keys) addKey(keys, text.slice(i + 1, end), name);
        expectsKey = false;
        i = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        expectsKey = text[i] === "{";
        open.push(expectsKey ? new Set() : null);
        if (open.length > MAX_DEPTH) {
          throw new SottoError(
            "E_MODEL_FORMAT",
            `Cannot read ${name}: JSON nested deeper than ${MAX_DEPTH} levels`,
          );
        }
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        expectsKey = false;
        break;
      case 0x2c: // ,
        expectsKey = open.at(-1) instanceof Set;
    }
  }
}

function addKey(keys: Set<string>, raw: string, name: string): void {
  let key = raw;
  if (raw.includes("\\")) {
    try {
      key = JSON.parse(`"${raw}"`); // "\u0061" repeats "a"
    } catch {
      return; // JSON.parse of the whole text refuses it too
    }
  }
  if (keys.has(key)) {
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read ${name}: duplicate key ${JSON.stringify(key.slice(0, 200))}`,
    );
  }
  keys.add(key);
}

/** Index of the quote that ends the string whose content begins at `start`, or the end of the text. */
function stringEnd(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++; // a backslash escapes whatever follows
    else if (code === 0x22) return i;
  }
  return text.length;
}
