/**
 * What the tests of model/ share: expected errors, temporary folders, a model of a few kilobytes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type ErrorCode, SottoError } from "../../errors.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { openCheckpoint } from "../../model/open.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

/** A `.pt` that real torch saved, 20 kB, with the `tokenizer.json` of its eight tokens beside it. */
export const TORCH_TINY: string = new URL("tests/data/model/torch_tiny/torch_tiny.pt", PROJECT_ROOT).pathname;

/** The folder of the bundled demo model. */
export const DEMO: string = new URL("models/demo", PROJECT_ROOT).pathname;

/** The checkpoint of {@linkcode TORCH_TINY}. */
export async function tinyCheckpoint(): Promise<Checkpoint> {
  return await openCheckpoint(TORCH_TINY);
}

/** Checks that a promise is refused with that code and a message that matches; answers the error. */
export async function refused(
  promise: Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<SottoError> {
  const error = await promise.then(
    (value) => assert.fail(`expected ${code}, got ${value}`),
    (error) => error,
  );
  assert.ok(error instanceof SottoError, `expected a SottoError, got ${error?.stack ?? error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return error;
}

/** Runs `body` in a fresh folder and removes it. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-model-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a file into a folder; answers its path. */
export async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
  return path;
}

/** A safetensors file of a header, as an object or as raw text, and data bytes. */
export function safetensorsFile(
  header: unknown,
  dataBytes = 0,
  headerLength?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

/** Random numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
